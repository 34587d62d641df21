// SPDX-License-Identifier: GPL-2.0-only
// A server in Java, for the JDK's own class library.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

class Web {
  public static void main(String[] arguments) throws Exception {
    var answer = "Java answers\n".getBytes();
    var server = HttpServer.create(new InetSocketAddress(8000), 0);
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.start();
  }
}
