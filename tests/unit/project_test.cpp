// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/compose_values.hpp"
#include "lifecycle/project.hpp"
#include "lifecycle/project_build.hpp"
#include "lifecycle/project_files.hpp"
#include "lifecycle/project_health.hpp"
#include "support/files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using testing::_;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> no_variables(const std::string&) {
  return std::nullopt;
}

std::optional<std::string> some_variables(const std::string& name) {
  return name == "PORT"    ? std::optional<std::string>("8080")
         : name == "EMPTY" ? std::optional<std::string>("")
                           : std::nullopt;
}

class ProjectFile : public testing::Test {
protected:
  TemporaryFolder folder_ = *TemporaryFolder::create("project");
  std::filesystem::path file_ = folder_.path() / "compose.yaml";

  ProjectFile() { EXPECT_TRUE(write_text(folder_.path() / "web.ukl", "")); }

  Result<Project> read(const std::string& text) {
    EXPECT_TRUE(write_text(file_, text));
    return read_project(file_, "shop", "/made", some_variables);
  }
  static std::string card(const Service& service) {
    return "private:shop-default,ip=" + service.cards.at(0).address + "/24";
  }
  // How the first service of these lines is started.
  std::vector<std::string> command(const std::string& lines, const std::string& more = "") {
    const auto project = read("services:\n  web:\n    image: web.ukl\n" + lines + more);
    EXPECT_TRUE(project) << project.error().message;
    return project ? start_command("ukl", *project, project->services.at(0)) : std::vector<std::string>();
  }
  // What has no effect, without the folder.
  std::vector<std::string> notes(const std::string& lines) {
    const auto project = read("services:\n  web:\n    image: web.ukl\n" + lines);
    EXPECT_TRUE(project) << project.error().message;
    std::vector<std::string> notes;
    for (const auto& note : project ? project->notes : notes)
      notes.push_back(note.substr(folder_.path().string().size() + 1));
    return notes;
  }
  // The error of a service with an image and these lines, without the folder.
  std::string wrong(const std::string& lines) {
    const auto project = read("services:\n  web:\n    image: web.ukl\n" + lines);
    if (project)
      return "none";
    EXPECT_EQ(project.error().failure, Failure::usage);
    return project.error().message.substr(folder_.path().string().size() + 1);
  }
};

TEST_F(ProjectFile, BecomesCommands) {
  const auto project = read(R"(
x-common: &common
  restart: unless-stopped
  environment: {A: one, B: two}
volumes:
  data:
    driver_opts: {size: 1G}
services:
  web:
    <<: *common
    image: web.ukl
    command: ["-a", "two words"]
    environment: [A=b=c, PATH]
    env_file: web.env
    ports: ["${PORT}:80", "53:53/udp", {target: 443, published: 8443, host_ip: 0.0.0.0}, 81]
    volumes: ["./site:/srv:ro", {type: bind, source: /etc, target: /host, read_only: true}]
    tmpfs: /tmp:size=64m
    mem_limit: 1.5g
    cpus: 2
    ulimits: {nofile: {soft: 10, hard: 20}}
    stdin_open: true
    tty: false
    x-wait-ready: tcp:80
    depends_on: {db: {condition: service_healthy}}
  db:
    <<: *common
    image: web.ukl
    command: serve 'all of it'
    volumes: [data:/var/lib/db]
    ports: ["5432:5432"]
    stop_grace_period: 1m30s
    healthcheck: {test: pg_isready -q, interval: 2s, retries: 5, start_period: 10s}
)");
  ASSERT_TRUE(project) << project.error().message;
  ASSERT_EQ(project->services.size(), 2u);
  const auto &db = project->services[0], &web = project->services[1];
  EXPECT_THAT(start_command("ukl", *project, web),
              ElementsAre("ukl", "run", "-d", "--project", "shop", "--name", "shop-web", "--env", "A=b=c",
                          "--env", "PATH", "--env-file", "web.env", "-p", "8080:80", "-p", "53:53/udp", "-p",
                          "0.0.0.0:8443:443", "-p", "0:81", "--volume", "./site:/srv:ro", "--volume",
                          "/etc:/host:ro", "--tmpfs", "/tmp:64M", "-m", "1536M", "--cpus", "2", "--limit",
                          "nofile=10:20", "-i", "--wait-ready", "tcp:80", "--restart", "always", "--network",
                          "user", "--network", card(web), "--add-host", "db:" + db.cards[0].address,
                          "--add-host", "shop-db:" + db.cards[0].address, "--add-host",
                          "web:" + web.cards[0].address, "--add-host", "shop-web:" + web.cards[0].address,
                          "web.ukl", "--", "-a", "two words"));
  EXPECT_THAT(start_command("ukl", *project, db),
              ElementsAre("ukl", "run", "-d", "--project", "shop", "--name", "shop-db", "--volume",
                          "shop-data:/var/lib/db", "-p", "5432:5432", "--restart", "always", "--env", "A=one",
                          "--env", "B=two", "--network", "user", "--network", card(db), "--add-host", _,
                          "--add-host", _, "--add-host", _, "--add-host", _, "web.ukl", "--", "serve",
                          "all of it"));
  EXPECT_THAT(db.health->command, ElementsAre("/bin/sh", "-c", "pg_isready -q"));
  EXPECT_EQ(db.health->patience, milliseconds(20000));
  EXPECT_EQ(db.stop_patience, milliseconds(90000));
  EXPECT_EQ(project->volumes.at(0).size, "1G");
  EXPECT_EQ(web.needs.at(0).until, Service::Need::Until::healthy);
}

TEST_F(ProjectFile, NamesVariablesThatAreNotSetOnce) {
  EXPECT_THAT(notes("    hostname: \"a$NOTHING\"\n    user: \"1${NOTHING}\"\n"),
              ElementsAre(testing::StartsWith("compose.yaml:4: the variable NOTHING is not set")));
}

TEST_F(ProjectFile, NamesWhatItDoesNotUnderstand) {
  EXPECT_EQ(wrong("    imagine: true\n"), "compose.yaml:4: services.web.imagine: ukl does not know this key");
  EXPECT_EQ(wrong("    devices: [/dev/sda]\n"),
            "compose.yaml:4: services.web.devices: ukl does not know this key");
  EXPECT_EQ(wrong("    ports:\n      - 80:80\n      - {target: 80, publish: 1}\n"),
            "compose.yaml:6: services.web.ports: a port has no publish");
  EXPECT_THAT(wrong("    volumes: [data:/data]\n"),
              HasSubstr(":4: services.web.volumes: there is no volume data"));
  for (const auto* size : {"much", "nank", "infg", "-1m", "0", "1e300g"})
    EXPECT_THAT(wrong(fmt::format("    mem_limit: {}\n", size)),
                HasSubstr(fmt::format("'{}' is no size", size)));
  EXPECT_THAT(wrong("    tty: perhaps\n"), HasSubstr("true or false"));
  EXPECT_THAT(wrong("    command: echo 'x\n"), HasSubstr("quotation mark"));
  EXPECT_THAT(wrong("    stop_grace_period: soon\n"), HasSubstr("'soon' is no time"));
  EXPECT_THAT(wrong("    depends_on: [db]\n"), HasSubstr("web needs db, which is no service"));
  EXPECT_THAT(wrong("    depends_on: [web]\n"), HasSubstr("web needs itself"));
  EXPECT_THAT(wrong("    container_name: ../x\n"), HasSubstr("'../x' is no name of a machine"));
  EXPECT_THAT(wrong("    tty: true\n    tty: false\n"), HasSubstr(":5: tty is there twice"));
  EXPECT_THAT(wrong("include: [x.yaml]\n"), HasSubstr("compose.yaml:4: include: ukl does not know this key"));
  EXPECT_THAT(wrong("    networks: [none]\n"), HasSubstr(":4: web is on none, which is no network"));
  EXPECT_THAT(wrong("    secrets: [none]\n"), HasSubstr("services.web.secrets: there is no 'none'"));
  EXPECT_THAT(wrong("    deploy: {copies: 2}\n"), HasSubstr("ukl does not know copies"));
  EXPECT_THAT(wrong(" - x: [\n"), HasSubstr("this is no YAML"));
  EXPECT_EQ(wrong("    x-mine: {what: ever}\n    expose: [80]\n    restart:\n"), "none");
}

TEST_F(ProjectFile, SaysWhatHasNoEffect) {
  EXPECT_THAT(
      notes(
          "    labels: {a: b}\n    expose: [80]\n    privileged: true\n    deploy: {replicas: 3, resources: "
          "{limits: {pids: 5}}}\n    tmpfs: /run:mode=755,size=1m\n"),
      ElementsAre(
          "compose.yaml:4: services.web.labels has no effect",
          "compose.yaml:6: services.web.privileged has no effect: each program has a machine and a kernel "
          "of its own",
          "compose.yaml:7: services.web.deploy.replicas has no effect: a service is one machine",
          "compose.yaml:7: services.web.deploy.resources.limits.pids has no effect",
          "compose.yaml:8: services.web.tmpfs.mode=755 has no effect"));
}

TEST_F(ProjectFile, AnImageIsAFileOrASource) {
  const auto project =
      read("services:\n  cache:\n    image: redis:7\n  mine:\n    image: deb:mine\n    x-pack: --with "
           "deb:dash\n    entrypoint: [/bin/mine, -x]\n    command: y\n");
  ASSERT_TRUE(project) << project.error().message;
  const auto &cache = project->services[0], &mine = project->services[1];
  EXPECT_EQ(cache.source, "oci:redis:7");
  EXPECT_THAT(cache.image, testing::StartsWith("/made/shop/oci-redis-7-"));
  EXPECT_THAT(make_commands("ukl", "", *project, cache, "out"),
              ElementsAre(ElementsAre("ukl", "pack", "oci:redis:7", "-o", "out")));
  EXPECT_THAT(make_commands("ukl", "", *project, mine, "out"),
              ElementsAre(ElementsAre("ukl", "pack", "deb:mine", "-o", "out", "--entrypoint", "/bin/mine",
                                      "--with", "deb:dash")));
  const auto start = start_command("ukl", *project, mine);
  EXPECT_THAT(std::vector(start.end() - 6, start.end()),
              ElementsAre("--entrypoint", "/bin/mine", mine.image, "--", "-x", "y"));
  const auto none = read("services:\n  web:\n    image: other.ukl\n");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message,
              HasSubstr("compose.yaml:3: services.web.image: there is no file other.ukl"));
}

TEST_F(ProjectFile, BuildsContainerImages) {
  ASSERT_TRUE(std::filesystem::create_directory(folder_.path() / "web"));
  const auto project =
      read("services:\n  web:\n    build: {context: web, dockerfile: Other, target: last, args: {A: 1, B: "
           "}, labels: [x]}\n");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_THAT(make_commands("ukl", "podman", *project, project->services[0], "out"),
              ElementsAre(ElementsAre("podman", "build", "-t", "localhost/ukl-shop-web", "-f", "web/Other",
                                      "--target", "last", "--build-arg", "A=1", "--build-arg", "B", "web"),
                          ElementsAre("ukl", "pack", "containers-storage:localhost/ukl-shop-web:latest", "-o",
                                      "out")));
  EXPECT_EQ(project->notes.size(), 1U);
  EXPECT_THAT(make_commands("ukl", "docker", *project, project->services[0], "out").at(1),
              Contains("docker-daemon:localhost/ukl-shop-web:latest"));
  const auto none = read("services:\n  web:\n    build: ./nowhere\n");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("services.web.build: there is no folder ./nowhere"));
}

TEST_F(ProjectFile, NetworksDecideWhoReachesWhom) {
  const auto project = read(R"(
networks:
  front: {}
  back: {internal: true, ipam: {config: [{subnet: 10.5.0.0/24}]}}
  lan: {external: true, name: office}
services:
  web: {image: web.ukl, networks: [front, lan], ports: ["80:80"]}
  app: {image: web.ukl, networks: {front: , back: {aliases: [api]}}, links: ["db:store"]}
  db: {image: web.ukl, networks: {back: {ipv4_address: 10.5.0.77}}}
  job: {image: web.ukl, network_mode: none}
)");
  ASSERT_TRUE(project) << project.error().message;
  const auto named = [&](const std::string& name) {
    return start_command("ukl", *project, *project->find(name));
  };
  const auto& app = *project->find("app");
  const auto front = app.cards[0].address, back = app.cards[1].address;
  EXPECT_THAT(named("web"),
              Contains("private:shop-front,ip=" + project->find("web")->cards[0].address + "/24"));
  EXPECT_THAT(named("web"), Contains("office"));
  EXPECT_THAT(named("web"), Contains("app:" + front));
  EXPECT_THAT(named("web"), Not(Contains(HasSubstr("db:"))));
  EXPECT_THAT(named("db"), Contains("private:shop-back,ip=10.5.0.77/24"));
  EXPECT_THAT(named("db"), Contains("api:" + back));
  EXPECT_THAT(named("db"), Not(Contains("user"))); // it has no way out
  EXPECT_THAT(named("app"), Contains("store:10.5.0.77"));
  EXPECT_THAT(named("app"), Not(Contains(HasSubstr("store:" + front))));
  EXPECT_THAT(named("job"), testing::IsSupersetOf({"--network", "none"}));
  EXPECT_THAT(named("job"), Not(Contains("--add-host")));
}

TEST_F(ProjectFile, NetworksHaveIpv6IfTheFileSaysSo) {
  const auto project = read(R"(
networks:
  front: {enable_ipv6: true}
  back: {enable_ipv6: yes, ipam: {config: [{subnet: "fd00:5::/64"}, {subnet: 10.5.0.0/24}]}}
services:
  web: {image: web.ukl, networks: [front]}
  app: {image: web.ukl, networks: {front: , back: {ipv4_address: 10.5.0.7}}}
  db: {image: web.ukl, networks: {back: {ipv4_address: 10.5.0.77, ipv6_address: "fd00:5::99"}}}
)");
  ASSERT_TRUE(project) << project.error().message;
  const auto app = start_command("ukl", *project, *project->find("app"));
  EXPECT_THAT(app, Contains("private:shop-back,ip=10.5.0.7/24,ip=fd00:5::a05:7/64"));
  EXPECT_THAT(app, Contains("db:10.5.0.77"));
  EXPECT_THAT(app, Contains("db:fd00:5::99"));
  EXPECT_THAT(app, Contains(HasSubstr("web:fd")));
  const auto wrong = read("networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: \"fd00::/48\"}]}}}\n"
                          "services: {web: {image: web.ukl}}\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("fd00::/48 has no 64 bits"));
}

TEST_F(ProjectFile, OneServiceAloneHasNoNetworkOfTheProject) {
  EXPECT_THAT(command("    ports: [\"80:80\"]\n"), Not(Contains("--network")));
}

TEST_F(ProjectFile, AddressesStayWhenOthersCome) {
  const std::string two = "services:\n  a: {image: web.ukl}\n  b: {image: web.ukl}\n";
  const auto before = read(two), after = read(two + "  a-first: {image: web.ukl}\n");
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->find("a")->cards[0].address, after->find("a")->cards[0].address);
  EXPECT_EQ(before->find("b")->cards[0].address, after->find("b")->cards[0].address);
  const auto twice = read("services:\n  a: {image: web.ukl, networks: {default: {ipv4_address: 10.89.1.4}}}\n"
                          "  b: {image: web.ukl, networks: {default: {ipv4_address: 10.89.1.4}}}\n");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("two services have the address 10.89.1.4"));
}

TEST_F(ProjectFile, SecretsAndConfigsAreFiles) {
  EXPECT_THAT(
      command("    secrets: [a, {source: b, target: /run/secrets/c}]\n    configs: [x, {source: y, target: "
              "/etc/y}, z]\n",
              "secrets: {a: {file: ./a}, b: {environment: PASSWORD}}\n"
              "configs: {x: {file: ./x}, y: {content: \"port $PORT\"}, z: {file: z}}\n"),
      ElementsAre("ukl", "run", "-d", "--project", "shop", "--name", "shop-web", "--secret", "a=./a",
                  "--secret", "c=$PASSWORD", "--config", "./x:/x", "--config", "/made/shop/config-y:/etc/y",
                  "--config", "z:/z", "web.ukl"));
}

TEST_F(ProjectFile, ContentsOfConfigsAreWritten) {
  ASSERT_TRUE(write_text(file_, "services: {web: {image: web.ukl}}\nconfigs: {y: {content: \"port $PORT\"}, "
                                "v: {environment: PORT}}\n"));
  const auto project = read_project(file_, "shop", folder_.path() / "made", some_variables);
  ASSERT_TRUE(project && write_contents(*project));
  EXPECT_EQ(*read_text(folder_.path() / "made/shop/config-y"), "port 8080");
  EXPECT_EQ(*read_text(folder_.path() / "made/shop/config-v"), "8080");
}

TEST_F(ProjectFile, DeploysAndExtends) {
  const auto project = read(R"(
services:
  base:
    image: web.ukl
    environment: {A: one, B: two}
    depends_on: [other]
    profiles: [none]
  web:
    extends: {service: base}
    environment: {B: three}
    profiles: []
    deploy: {resources: {limits: {cpus: "1.5", memory: 64M}}, restart_policy: {condition: on-failure, max_attempts: 3}}
    stop_signal: SIGINT
    env_file: [{path: none.env, required: false}]
    depends_on: {gone: {condition: service_started, required: false}}
  other: {image: web.ukl, network_mode: none}
)");
  ASSERT_TRUE(project) << project.error().message;
  const auto& web = *project->find("web");
  EXPECT_THAT(web.options, ElementsAre("--env", "A=one", "--env", "B=three", "--cpus", "2", "-m", "64M",
                                       "--restart", "on-failure:3", "--stop-signal", "SIGINT"));
  EXPECT_THAT(project->find("base")->profiles, ElementsAre("none"));
  EXPECT_THAT(wrong("    extends: web\n"), HasSubstr("it extends itself"));
  EXPECT_THAT(wrong("    extends: {service: web, file: x}\n"), HasSubstr("other files"));
}

TEST_F(ProjectFile, VolumesInAllForms) {
  EXPECT_THAT(
      command(
          "    volumes: [\"./a:/a:z,ro\", /anonymous, {type: tmpfs, target: /t, tmpfs: {size: 1m}}, {type: "
          "bind, source: a, target: /b, bind: {create_host_path: true}}, bound:/c]\n",
          "volumes: {bound: {driver_opts: {type: none, o: bind, device: /srv}}}\n"),
      ElementsAre("ukl", "run", "-d", "--project", "shop", "--name", "shop-web", "--volume", "./a:/a:ro",
                  "--tmpfs", "/t:1M", "--volume", "./a:/b", "--volume", "/srv:/c", "web.ukl"));
}

TEST_F(ProjectFile, HealthHasToBeKnownToBeWaitedFor) {
  auto project = read("services:\n"
                      "  web:\n    image: web.ukl\n    depends_on: {db: {condition: service_healthy}}\n"
                      "  db:\n    image: web.ukl\n    healthcheck: {disable: true}\n");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_TRUE(project->find("db")->health_disabled);
  EXPECT_TRUE(check_health(*project)); // the image is not known yet
  project->services[0].image_known = true;
  const auto checked = check_health(*project);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message,
              HasSubstr(":4: web waits for the health of db, which has no healthcheck"));
}

TEST(ImageHealth, IsDockers) {
  const auto health =
      image_health(R"({"Test": ["CMD-SHELL", "ask it"], "Interval": 2000000000, "StartPeriod": 1000000000})");
  ASSERT_TRUE(health);
  EXPECT_THAT(health->command, ElementsAre("/bin/sh", "-c", "ask it"));
  EXPECT_EQ(health->interval, milliseconds(2000));
  EXPECT_EQ(health->timeout, milliseconds(30000));
  EXPECT_EQ(health->patience, milliseconds(7000));
  EXPECT_THAT(image_health(R"({"Test": ["CMD", "a", "b"], "Retries": 1})")->command, ElementsAre("a", "b"));
  for (const auto* none :
       {"", "{}", "[]", R"({"Test": ["NONE"]})", R"({"Test": "x"})", R"({"Test": ["CMD"]})", "{"})
    EXPECT_FALSE(image_health(none)) << none;
}

TEST_F(ProjectFile, AVolumeOfSeveralIsAFolder) {
  const std::string services = "services:\n"
                               "  one:\n    image: web.ukl\n    volumes: [data:/a]\n"
                               "  two:\n    image: web.ukl\n    volumes: [data:/a:ro]\n";
  const auto project = read("volumes: {data: }\n" + services);
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_THAT(project->services[0].options, ElementsAre("--volume", "/made/shop/volume-data:/a:shared"));
  EXPECT_THAT(project->services[1].options, ElementsAre("--volume", "/made/shop/volume-data:/a:ro,shared"));
  // So is one of this machine that several have, or of which another has something, unless all only read it.
  const auto folders = read("services:\n"
                            "  one: {image: web.ukl, volumes: [\".:/app\", ./read:/r:ro]}\n"
                            "  two: {image: web.ukl, volumes: [./data/:/d, ./read:/r:ro, /other:/o]}\n"
                            "  three: {image: web.ukl, volumes: [{type: bind, source: data, target: /d}]}\n");
  ASSERT_TRUE(folders) << folders.error().message;
  EXPECT_THAT(folders->find("one")->options,
              ElementsAre("--volume", ".:/app:shared", "--volume", "./read:/r:ro,shared"));
  EXPECT_THAT(folders->find("two")->options, ElementsAre("--volume", "./data/:/d:shared", "--volume",
                                                         "./read:/r:ro,shared", "--volume", "/other:/o"));
  EXPECT_THAT(folders->find("three")->options, ElementsAre("--volume", "./data:/d:shared"));
  // Also those that a service has from another one.
  const auto heirs =
      read("services:\n  one: {image: web.ukl, volumes: [./data:/d]}\n  two: {extends: one}\n");
  ASSERT_TRUE(heirs) << heirs.error().message;
  EXPECT_THAT(heirs->find("two")->options, ElementsAre("--volume", "./data:/d:shared"));
  const auto readers = read("services:\n  one: {image: web.ukl, volumes: [./read:/r:ro]}\n"
                            "  two: {image: web.ukl, volumes: [./read:/r:ro]}\n");
  ASSERT_TRUE(readers) << readers.error().message;
  EXPECT_THAT(readers->find("two")->options, ElementsAre("--volume", "./read:/r:ro"));
  const auto external = read("volumes: {data: {external: true}}\n" + services);
  ASSERT_FALSE(external);
  EXPECT_THAT(external.error().message, HasSubstr("one and two share the volume data"));
}

TEST_F(ProjectFile, HasVariablesInAFileBesideIt) {
  ASSERT_TRUE(write_text(folder_.path() / ".env", "# ours\nMINE=here\nPORT=1\n"));
  const auto project = read("services:\n  web:\n    image: web.ukl\n    command: [$MINE, $PORT]\n");
  ASSERT_TRUE(project) << project.error().message;
  EXPECT_THAT(*project->services[0].command, ElementsAre("here", "8080"));
}

TEST_F(ProjectFile, MuchFromLittleIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 9; ++level) {
    text += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [";
    for (int time = 0; time < 10; ++time)
      text += (time ? ", *a" : "*a") + std::to_string(level - 1);
    text += "]\n";
  }
  const auto project = read(text);
  ASSERT_FALSE(project);
  EXPECT_THAT(project.error().message, HasSubstr("too much"));
}

TEST(ComposeTexts, Variables) {
  const auto filled = [](const std::string& text) {
    std::set<std::string> unset;
    const auto result = with_variables(text, some_variables, unset);
    return result ? *result : "error: " + result.error().message;
  };
  EXPECT_EQ(filled("a $PORT b ${PORT}c $$PORT"), "a 8080 b 8080c $PORT");
  EXPECT_EQ(filled("${NONE:-x${PORT}} ${EMPTY-y} ${EMPTY:-z} ${PORT:+set}${NONE+set}"), "x8080  z set");
  EXPECT_EQ(filled("${NONE:?say it}"), "error: the variable NONE is not set: say it");
  EXPECT_EQ(filled("a${NONE}b$NONE"), "ab");
  for (const auto* text : {"$", "${", "${}", "${PORT", "${PORT:}", "${PORT!x}", "$1"})
    EXPECT_THAT(filled(text), HasSubstr("names no variable")) << text;
}

TEST(ComposeTexts, Words) {
  EXPECT_THAT(*shell_words("a  'b c' \"d\\\"e\\n\" f\\ g ''"), ElementsAre("a", "b c", "d\"e\\n", "f g", ""));
  EXPECT_THAT(*shell_words(" "), ElementsAre());
  EXPECT_FALSE(shell_words("\"a"));
}

TEST(ComposeTexts, Durations) {
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90000));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("1.5h"), milliseconds(5400000));
  EXPECT_EQ(parse_duration("1d1ns"), milliseconds(24 * 3600 * 1000));
  for (const auto* text : {"", "10", "s", "1x", "-1s", "1e300h", "nans", "infs"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(ComposeTexts, Truths) {
  for (const auto* text : {"true", "True", "YES", "on", "y"})
    EXPECT_EQ(parse_truth(text), true) << text;
  for (const auto* text : {"false", "no", "Off", "n"})
    EXPECT_EQ(parse_truth(text), false) << text;
  for (const auto* text : {"", "1", "truth", "null"})
    EXPECT_EQ(parse_truth(text), std::nullopt) << text;
}

TEST(FindProjectFile, LooksForTheUsualNames) {
  auto folder = *TemporaryFolder::create("project");
  EXPECT_FALSE(find_project_file(folder.path()));
  ASSERT_TRUE(write_text(folder.path() / "docker-compose.yml", ""));
  EXPECT_EQ(*find_project_file(folder.path()), folder.path() / "docker-compose.yml");
  EXPECT_FALSE(read_project(folder.path() / "docker-compose.yml", "", "/made", no_variables)); // it is empty
}

} // namespace
} // namespace ukl
