// SPDX-License-Identifier: GPL-2.0-only
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Converts amounts of money. */
public class Exchange {
  private static final AtomicInteger conversions = new AtomicInteger();

  private static Map<String, String> parameters(HttpExchange request) {
    Map<String, String> all = new HashMap<>();
    String query = request.getRequestURI().getQuery();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      String[] parts = pair.split("=", 2);
      all.put(parts[0], parts.length == 2 ? parts[1] : "");
    }
    return all;
  }

  private static void answer(HttpExchange request, int status, String text) throws IOException {
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    request.sendResponseHeaders(status, bytes.length);
    try (var body = request.getResponseBody()) {
      body.write(bytes);
    }
  }

  private static void convert(HttpExchange request) throws IOException {
    conversions.incrementAndGet();
    var asked = parameters(request);
    try {
      var amount = new BigDecimal(asked.getOrDefault("amount", ""));
      var rate = new BigDecimal(asked.getOrDefault("rate", ""));
      answer(request, 200, amount.multiply(rate).setScale(2, RoundingMode.HALF_EVEN).toPlainString());
    } catch (NumberFormatException wrong) {
      answer(request, 400, "numbers are wanted");
    }
  }

  public static void main(String[] arguments) throws IOException {
    var server = HttpServer.create(new InetSocketAddress(8080), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/convert", Exchange::convert);
    server.createContext("/", request -> answer(request, 200, Runtime.getRuntime().availableProcessors() + " processors"));
    Runtime.getRuntime().addShutdownHook(
        new Thread(() -> System.out.println("stopped after " + conversions.get() + " conversions")));
    server.start();
  }
}
