// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project.hpp"
#include "lifecycle/project_service.hpp"
#include "support/files.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

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
    return read_project(file_, "shop", some_variables);
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
                          "nofile=10:20", "-i", "--wait-ready", "tcp:80", "--restart", "always", "--add-host",
                          "db:10.0.2.2", "web.ukl", "--", "-a", "two words"));
  EXPECT_THAT(start_command("ukl", *project, db),
              ElementsAre("ukl", "run", "-d", "--project", "shop", "--name", "shop-db", "--volume",
                          "shop-data:/var/lib/db", "-p", "5432:5432", "--restart", "always", "--env", "A=one",
                          "--env", "B=two", "--add-host", "web:10.0.2.2", "web.ukl", "--", "serve",
                          "all of it"));
  EXPECT_THAT(db.health->command, ElementsAre("/bin/sh", "-c", "pg_isready -q"));
  EXPECT_EQ(db.health->patience, milliseconds(20000));
  EXPECT_EQ(db.stop_patience, milliseconds(90000));
  EXPECT_EQ(project->volumes.at(0).size, "1G");
  EXPECT_EQ(web.needs.at(0).until, Service::Need::Until::healthy);
}

TEST_F(ProjectFile, NamesWhatItDoesNotUnderstand) {
  EXPECT_EQ(wrong("    privileged: true\n"),
            "compose.yaml:4: services.web.privileged: ukl does not know this key");
  EXPECT_EQ(wrong("    ports:\n      - 80:80\n      - {target: 80, publish: 1}\n"),
            "compose.yaml:6: services.web.ports: a port has no publish");
  EXPECT_THAT(wrong("    volumes: [data:/data]\n"),
              HasSubstr(":4: services.web.volumes: there is no volume data"));
  EXPECT_THAT(wrong("    mem_limit: much\n"), HasSubstr("'much' is no size"));
  EXPECT_THAT(wrong("    tty: perhaps\n"), HasSubstr("true or false"));
  EXPECT_THAT(wrong("    command: echo 'x\n"), HasSubstr("quotation mark"));
  EXPECT_THAT(wrong("    stop_grace_period: soon\n"), HasSubstr("'soon' is no time"));
  EXPECT_THAT(wrong("    depends_on: [db]\n"), HasSubstr("web needs db, which is no service"));
  EXPECT_THAT(wrong("    depends_on: [web]\n"), HasSubstr("web needs itself"));
  EXPECT_THAT(wrong("    container_name: ../x\n"), HasSubstr("'../x' is no name of a machine"));
  EXPECT_THAT(wrong("    tty: true\n    tty: false\n"), HasSubstr(":5: tty is there twice"));
  EXPECT_THAT(wrong("    hostname: $NOTHING\n"), HasSubstr(":4: the variable NOTHING is not set"));
  EXPECT_THAT(wrong("networks: {}\n"), HasSubstr("compose.yaml:4: networks: ukl does not know this key"));
  EXPECT_THAT(wrong(" - x: [\n"), HasSubstr("this is no YAML"));
  EXPECT_EQ(wrong("    x-mine: {what: ever}\n    expose: [80]\n    restart:\n"), "none");
}

TEST_F(ProjectFile, AnImageIsAFile) {
  const auto project = read("services:\n  cache:\n    image: redis:7\n");
  ASSERT_FALSE(project);
  EXPECT_THAT(project.error().message,
              HasSubstr("compose.yaml:3: services.cache.image: there is no file redis:7"));
  EXPECT_THAT(project.error().hint, HasSubstr("ukl pack oci:redis:7 -o cache.ukl"));
}

TEST_F(ProjectFile, HealthHasToBeKnownToBeWaitedFor) {
  const auto project = read("services:\n"
                            "  web:\n    image: web.ukl\n    depends_on: {db: {condition: service_healthy}}\n"
                            "  db:\n    image: web.ukl\n    healthcheck: {disable: true}\n");
  ASSERT_FALSE(project);
  EXPECT_THAT(project.error().message,
              HasSubstr(":4: web waits for the health of db, which has no healthcheck"));
}

TEST_F(ProjectFile, AVolumeIsForOne) {
  const auto project = read("volumes: {data: }\nservices:\n"
                            "  one:\n    image: web.ukl\n    volumes: [data:/a]\n"
                            "  two:\n    image: web.ukl\n    volumes: [data:/a]\n");
  ASSERT_FALSE(project);
  EXPECT_THAT(project.error().message, HasSubstr("one and two share the volume data"));
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
    const auto result = with_variables(text, some_variables);
    return result ? *result : "error: " + result.error().message;
  };
  EXPECT_EQ(filled("a $PORT b ${PORT}c $$PORT"), "a 8080 b 8080c $PORT");
  EXPECT_EQ(filled("${NONE:-x${PORT}} ${EMPTY-y} ${EMPTY:-z} ${PORT:+set}${NONE+set}"), "x8080  z set");
  EXPECT_EQ(filled("${NONE:?say it}"), "error: the variable NONE is not set: say it");
  EXPECT_EQ(filled("$NONE"), "error: the variable NONE is not set");
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
  for (const auto* text : {"", "10", "s", "1x", "-1s", "1e300h"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(FindProjectFile, LooksForTheUsualNames) {
  auto folder = *TemporaryFolder::create("project");
  EXPECT_FALSE(find_project_file(folder.path()));
  ASSERT_TRUE(write_text(folder.path() / "docker-compose.yml", ""));
  EXPECT_EQ(*find_project_file(folder.path()), folder.path() / "docker-compose.yml");
  EXPECT_FALSE(read_project(folder.path() / "docker-compose.yml", "", no_variables)); // it is empty
}

} // namespace
} // namespace ukl
