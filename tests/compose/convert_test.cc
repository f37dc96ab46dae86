// CTST.md, "convert": a compose file as .ctst, and what of it .ctst cannot say.
#include "compose/convert.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compose/load.h"
#include "runtime/kernel/path.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

class ConvertTest : public testing::Test {
 protected:
  Loaded load(const std::string &name, const std::string &text, bool interpolate = true) {
    const std::string path = directory_.path() + "/" + name;
    {
      const kernel::Fd file = *kernel::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
      EXPECT_TRUE(kernel::write_all(file, text));
    }
    LoadRequest request;
    request.files = {path};
    request.project_name = "shop";
    request.profiles = {"*"};
    request.environment = {{"TOKEN", "t"}, {"HOME", "/root"}};
    request.working_directory = directory_.path();
    request.interpolate = interpolate;
    request.resolve_environment = interpolate;
    Result<Loaded> loaded = load_project(request);
    EXPECT_TRUE(loaded) << loaded.error().message();
    for (const Finding &one : loaded->findings.all()) {
      EXPECT_NE(one.level, Finding::Level::error) << one.message() << text;
    }
    return std::move(*loaded);
  }

  // The .ctst text; what is told is kept in findings_.
  std::string convert(const std::string &yaml) {
    findings_ = {};
    compose_ = load("compose.yaml", yaml);
    const Loaded written = load("compose.yaml", yaml, false);
    return convert_to_ctst(
        {.project = compose_.project, .written = &written.project.canonical, .folder = directory_.path()}, findings_);
  }
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const Finding &one : findings_.all()) out += one.text + "\n";
    return out;
  }
  // The project of the compose file again, by way of .ctst.
  const Project &around(const std::string &yaml) {
    ctst_ = load("shop.ctst", convert(yaml));
    return ctst_.project;
  }
  static const Service &service(const Project &project, std::string_view name) {
    return *std::ranges::find_if(project.services, [&](const Service &one) { return one.name == name; });
  }

  TemporaryDirectory directory_;
  Findings findings_;
  Loaded compose_;
  Loaded ctst_;
};

constexpr const char *sayable = R"(
services:
  web:
    image: nginx:1.27
    entrypoint: ["/entry", "a b"]
    command: ["serve", "$$HOME \"x\""]
    ports: ["8080:80", "443:443"]
    environment: {TOKEN: "${TOKEN}", LEVEL: "${LEVEL:-info}", PLAIN: "a$$b"}
    volumes: ["./conf:/etc/nginx:ro", "/srv:/srv"]
    tmpfs: [/run]
    hostname: front
    user: "1:2"
    working_dir: /w
    labels: {com.example.tier: front}
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_started}
    restart: on-failure
    read_only: true
    cap_drop: [ALL]
    cap_add: [CHOWN]
    mem_limit: 64m
    cpus: 1.5
    pids_limit: 100
    stop_signal: SIGINT
    stop_grace_period: 1m30s
    devices: ["/dev/null:/dev/nothing:r"]
  db:
    image: postgres:16
    cap_drop: [ALL]
    read_only: true
    cpu_shares: 512
    expose: ["5432"]
    healthcheck: {test: [CMD, pg_isready], interval: 5s, timeout: 2s, retries: 9, start_period: 1m}
    restart: always
  cache:
    image: redis
    cap_drop: [ALL]
    read_only: true
    network_mode: none
    scale: 3
)";

TEST_F(ConvertTest, WhatBothCanSayComesBackAsItWas) {
  const Project &back = around(sayable);
  EXPECT_EQ(told(), "");
  ASSERT_EQ(back.services.size(), 3U);
  for (const Service &was : compose_.project.services) {
    const Service &is = service(back, was.name);
    EXPECT_EQ(is.image, was.image);
    EXPECT_EQ(is.entrypoint, was.entrypoint);
    EXPECT_EQ(is.command, was.command);
    EXPECT_EQ(is.user, was.user);
    EXPECT_EQ(is.working_dir, was.working_dir);
    EXPECT_EQ(is.labels, was.labels);
    EXPECT_EQ(is.read_only, was.read_only);
    EXPECT_EQ(is.cap_add, was.cap_add);
    EXPECT_EQ(is.cap_drop, was.cap_drop);
    EXPECT_EQ(is.restart.policy, was.restart.policy);
    EXPECT_EQ(is.stop_signal, was.stop_signal);
    EXPECT_EQ(is.stop_grace_period, was.stop_grace_period);
    EXPECT_EQ(is.resources.memory, was.resources.memory);
    EXPECT_EQ(is.resources.cpus, was.resources.cpus);
    EXPECT_EQ(is.resources.cpu_shares, was.resources.cpu_shares);
    EXPECT_EQ(is.resources.pids, was.resources.pids);
    EXPECT_EQ(is.network_mode, was.network_mode);
    EXPECT_EQ(is.replicas, was.replicas);
    ASSERT_EQ(is.mounts.size(), was.mounts.size());
    for (const Mount &mount : was.mounts) {
      EXPECT_EQ(std::ranges::count_if(is.mounts,
                                      [&](const Mount &one) {
                                        return one.source == mount.source && one.target == mount.target &&
                                               one.kind == mount.kind && one.read_only == mount.read_only &&
                                               one.create_host_path == mount.create_host_path;
                                      }),
                1);
    }
    // CONNECT adds variables; those of the file stay.
    for (const auto &variable : was.environment) EXPECT_EQ(std::ranges::count(is.environment, variable), 1);
  }
}

TEST_F(ConvertTest, PortsDependenciesAndHealthComeBackToo) {
  const Project &back = around(sayable);
  const Service &web = service(back, "web");
  ASSERT_EQ(web.ports.size(), 2U);
  for (const Port &port : service(compose_.project, "web").ports) {
    EXPECT_EQ(std::ranges::count_if(
                  web.ports, [&](const Port &one) { return one.container == port.container && one.host == port.host; }),
              1);
  }
  ASSERT_EQ(web.depends_on.size(), 2U);
  for (const Dependency &one : web.depends_on) {
    EXPECT_EQ(one.condition, one.service == "db" ? Dependency::Condition::healthy : Dependency::Condition::started);
  }
  const HealthCheck &was = *service(compose_.project, "db").health_check;
  const HealthCheck &is = *service(back, "db").health_check;
  EXPECT_EQ(is.test, was.test);
  EXPECT_EQ(is.interval, was.interval);
  EXPECT_EQ(is.timeout, was.timeout);
  EXPECT_EQ(is.retries, was.retries);
  EXPECT_EQ(is.start_period, was.start_period);
}

// CTST.md, "convert": ${X} alone in environment becomes ${env.X}.
TEST_F(ConvertTest, AVariableAloneStaysOne) {
  const std::string text =
      convert("services: {a: {image: x, environment: {A: \"${TOKEN}\", B: \"x-${TOKEN}\", C: $TOKEN}}}");
  EXPECT_NE(text.find("    A = \"${env.TOKEN}\"\n    B = \"x-t\"\n    C = \"${env.TOKEN}\"\n"), std::string::npos)
      << text;
}

struct Left {
  const char *yaml;  // of service a
  const char *comment;
};

class ConvertLeaves : public ConvertTest, public testing::WithParamInterface<Left> {};

// CTST.md, "convert": what .ctst cannot say is a comment and reported, never dropped in silence.
TEST_P(ConvertLeaves, ACommentAndAFinding) {
  const std::string text =
      convert(std::string("services: {a: {image: x, ") + GetParam().yaml + "}, b: {image: x}}\nvolumes: {data: {}}");
  EXPECT_NE(text.find(std::string("  // ") + GetParam().comment), std::string::npos) << text;
  EXPECT_NE(told().find("services.a."), std::string::npos) << told();
  (void)load("shop.ctst", text);  // and it is a .ctst file all the same
}

INSTANTIATE_TEST_SUITE_P(
    All, ConvertLeaves,
    testing::Values(Left{"ulimits: {nofile: 5}", "ulimits:\n"},
                    Left{"ports: [\"127.0.0.1:80:80\"]", "ports 127.0.0.1:80:80/tcp"},
                    Left{"ports: [\"53:53/udp\"]", "ports 53:53/udp"}, Left{"ports: [\"80\"]", "ports :80/tcp"},
                    Left{"volumes: [\"data:/d\"]", "volumes data:/d"}, Left{"volumes: [/d]", "volumes /d"},
                    Left{"privileged: true", "privileged: true"}, Left{"init: true", "init: true"},
                    Left{"container_name: c", "container_name: c"}, Left{"profiles: [x]", "profiles:"},
                    Left{"restart: unless-stopped", "restart unless-stopped"},
                    Left{"restart: \"on-failure:3\"", "restart on-failure:3"}, Left{"build: .", "build:"},
                    Left{"networks: {default: {aliases: [z]}}", "networks default: aliases and addresses"},
                    Left{"network_mode: \"service:b\"", "network_mode service:b"},
                    Left{"depends_on: {b: {condition: service_completed_successfully}}",
                         "depends_on b: condition service_completed_successfully"},
                    Left{"security_opt: [\"apparmor=x\"]", "security_opt apparmor=x"},
                    Left{"sysctls: {net.core.somaxconn: 1}", "sysctls:"}, Left{"logging: {driver: none}", "logging:"},
                    Left{"pull_policy: always", "pull_policy always"},
                    Left{"healthcheck: {disable: true}", "healthcheck disable"},
                    Left{"environment: [\"A.B=c\"]", "environment A.B=c"}, Left{"x-mine: 1", "x-mine: 1"},
                    Left{"extra_hosts: [\"h:1.2.3.4\"]", "extra_hosts:"}));

// A compose service has capabilities without a word.
TEST_F(ConvertTest, TheUsualCapabilitiesAreListed) {
  const std::string text = convert("services: {a: {image: x, cap_drop: [chown], cap_add: [NET_ADMIN]}}");
  EXPECT_EQ(text.find("CHOWN"), std::string::npos) << text;
  EXPECT_NE(text.find("\"SETUID\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"NET_ADMIN\"]"), std::string::npos) << text;
}

TEST_F(ConvertTest, NamesAreMadeToFit) {
  compose_ = load("compose.yaml", "services: {1.db: {image: x}, _1_db: {image: x}, IMPORT: {image: x}}");
  const std::map<std::string, std::string> names = component_names(compose_.project);
  EXPECT_EQ(names.at("_1_db"), "_1_db");
  EXPECT_EQ(names.at("1.db"), "_1_db_");
  EXPECT_EQ(names.at("IMPORT"), "IMPORT_");
}

}  // namespace
}  // namespace skiff::compose
