#include "compose/load.h"

#include <gtest/gtest.h>

#include "compose/finish.h"
#include "compose/interpolate.h"
#include "compose/value_text.h"
#include "compose/yaml.h"
#include "tests/compose/project_rig.h"

namespace skiff::compose {
namespace {

// The part of `config` that one service has, its own level taken off.
std::string service_of(ProjectRig &rig, const std::string &name) {
  const Loaded loaded = rig.load();
  if (loaded.findings.has_errors()) return as_error(loaded.findings).text;
  const Value *services = loaded.project.canonical.find("services");
  const Value *service = services->find(name);
  return service == nullptr ? "none" : print_json(*service, 0);
}

// compose-spec, "Merge and override": maps, lists, commands, unique resources
TEST(Merge, FollowsTheSpecification) {
  ProjectRig rig;
  rig.write("compose.yaml", R"(
services:
  web:
    image: a
    command: [one]
    dns: [1.1.1.1]
    environment: {A: 1, B: 2}
    labels: [x=1]
    ports: ["80:80", "81:81"]
    volumes: ["one:/data", "/keep"]
    healthcheck: {test: [CMD, a], retries: 3}
    logging: {driver: local, options: {max-size: 1m}}
volumes: {one: , two: }
)");
  rig.write("compose.override.yaml", R"(
services:
  web:
    command: two words
    dns: 8.8.8.8
    environment: [B=3, C=4]
    labels: {x: 2, y: 3}
    ports: ["80:80/tcp", "82:82"]
    volumes: ["two:/data:ro"]
    healthcheck: {test: [CMD, b]}
    logging: {driver: json-file}
)");
  EXPECT_EQ(service_of(rig, "web"),
            R"({"command":["two","words"],"dns":["1.1.1.1","8.8.8.8"],"environment":{"A":"1","B":"3","C":"4"},)"
            R"("healthcheck":{"test":["CMD","b"],"retries":3},"image":"a","labels":{"x":"2","y":"3"},)"
            R"("logging":{"driver":"json-file"},"networks":{"default":null},)"
            R"("ports":[{"mode":"ingress","target":80,"published":"80","protocol":"tcp"},)"
            R"({"mode":"ingress","target":81,"published":"81","protocol":"tcp"},)"
            R"({"mode":"ingress","target":82,"published":"82","protocol":"tcp"}],)"
            R"("volumes":[{"type":"volume","source":"two","target":"/data","read_only":true,"volume":{}},)"
            R"({"type":"volume","target":"/keep","volume":{}}]})");
}

// compose-spec, "Reset value" and "Replace value"
TEST(Merge, ResetTakesAwayAndOverrideReplaces) {
  ProjectRig rig;
  rig.write("a.yaml",
            "services: {web: {image: a, ports: ['1:1'], environment: {A: 1, B: 2}, dns: [1.1.1.1], user: u}}");
  rig.write(
      "b.yaml",
      "services: {web: {ports: !reset [], environment: {A: !reset null}, dns: !override [2.2.2.2], user: !reset ''}}");
  rig.request.files = {"a.yaml", "b.yaml"};
  EXPECT_EQ(service_of(rig, "web"),
            R"({"dns":["2.2.2.2"],"environment":{"B":"2"},"image":"a","networks":{"default":null}})");
}

TEST(Merge, KindsThatDoNotFitAreTold) {
  ProjectRig rig;
  rig.write("a.yaml", "services: {web: {image: a, x-y: [1]}}");
  rig.write("b.yaml", "services: {web: {x-y: {a: 1}}}");
  rig.request.files = {"a.yaml", "b.yaml"};
  EXPECT_EQ(rig.errors(),
            "b.yaml:1:23: services.web.x-y: a list, a map or a scalar was given before, and now another; "
            "!override replaces it");
}

// compose-spec, "Interpolation": values only, before merging
TEST(Load, InterpolatesWithTheShellOverDotenv) {
  ProjectRig rig;
  rig.write(".env", "TAG=dotenv\nPORT=8080\n");
  rig.write("compose.yaml", R"(
services:
  web:
    image: "a:${TAG}"
    ports: ["${PORT}:80"]
    labels: {"$TAG": "$$TAG", count: "${COUNT:-3}"}
    environment: [PORT, MISSING, "X=${MISSING}"]
    privileged: ${PRIVILEGED:-true}
)");
  rig.request.environment = {{"TAG", "shell"}};
  EXPECT_EQ(
      service_of(rig, "web"),
      R"({"environment":{"MISSING":null,"PORT":"8080","X":""},"image":"a:shell","labels":{"$TAG":"$TAG","count":"3"},)"
      R"("networks":{"default":null},"ports":[{"mode":"ingress","target":80,"published":"8080","protocol":"tcp"}],)"
      R"("privileged":true})");
  EXPECT_EQ(rig.warnings(),
            "compose.yaml:7:34: the variable MISSING is not set, so it is empty; set it in the environment or in .env, "
            "or write ${MISSING:-DEFAULT}");
}

TEST(Load, ARequiredVariableIsAFindingAtItsPlace) {
  ProjectRig rig;
  rig.write("compose.yaml", "services:\n  web:\n    image: ${IMAGE:?name one}\n");
  EXPECT_EQ(rig.errors(),
            "compose.yaml:3:12: the variable IMAGE is required: name one; a dollar sign alone is written $$");
}

// compose-spec, "env_file" and "label_file"
TEST(Load, FilesOfVariablesComeBeforeTheServicesOwn) {
  ProjectRig rig;
  rig.write("one.env", "A=1\nB=1\nC=1\n");
  rig.write("two.env", "B=2\nRAW=\"$X\"\n");
  rig.write("labels", "l=file\nm=file\n");
  rig.write("compose.yaml", R"(
services:
  web:
    image: a
    env_file: [one.env, {path: two.env, format: raw}, {path: none.env, required: false}]
    environment: {C: own}
    label_file: labels
    labels: {m: own}
)");
  EXPECT_EQ(service_of(rig, "web"), R"({"environment":{"A":"1","B":"2","C":"own","RAW":"\"$X\""},"image":"a",)"
                                    R"("labels":{"l":"file","m":"own"},"networks":{"default":null}})");
  rig.write("compose.yaml", "services: {web: {image: a, env_file: none.env}}");
  EXPECT_EQ(rig.errors(),
            "compose.yaml:1:38: open(\"none.env\", O_RDONLY): no such file or directory; `required: false` "
            "allows it to "
            "be missing");
}

// compose-spec, "extends"
TEST(Extends, ChainsOverFiles) {
  ProjectRig rig;
  rig.write("sub/base.yaml",
            "services: {a: {extends: b, labels: [a=1], volumes: ['./d:/d']}, b: {image: x, labels: {a: 0, b: 2}}}");
  rig.write("compose.yaml",
            "services: {c: {extends: {file: sub/base.yaml, service: a}, labels: [c=3]}, d: {extends: c, image: y}}");
  EXPECT_NE(service_of(rig, "d").find(R"("labels":{"a":"1","b":"2","c":"3"})"), std::string::npos);
  EXPECT_NE(rig.config().find("source: @DIR@/sub/d"), std::string::npos) << rig.config();
}

TEST(Extends, ACycleIsPrinted) {
  ProjectRig rig;
  rig.write("compose.yaml", "services:\n  a: {extends: b}\n  b: {extends: c}\n  c: {extends: a}\n");
  EXPECT_TRUE(rig.errors().starts_with(
      "compose.yaml:4:16: services.c.extends: a cycle: a -> b -> c -> a; one of them has to stand alone"))
      << rig.errors();
}

TEST(Extends, WhatIsNotThereGetsASuggestion) {
  ProjectRig rig;
  rig.write("compose.yaml", "services:\n  web: {image: a}\n  x: {extends: wev}\n");
  EXPECT_EQ(rig.errors(),
            "compose.yaml:3:16: services.x.extends: there is no service wev in compose.yaml; did you mean web?");
}

// compose-spec, "Include"
TEST(Include, TakesItsOwnFolderAndVariables) {
  ProjectRig rig;
  rig.write("sub/compose.yaml", "services: {api: {image: 'api:${TAG}', volumes: ['./d:/d'], env_file: e}}");
  rig.write("sub/.env", "TAG=sub\n");
  rig.write("sub/e", "E=1\n");
  rig.write("compose.yaml",
            "include: [sub/compose.yaml]\nservices: {web: {image: 'web:${TAG-none}', depends_on: [api]}}");
  const std::string config = rig.config();
  EXPECT_NE(config.find("image: api:sub"), std::string::npos) << config;
  EXPECT_NE(config.find("image: web:none"), std::string::npos);
  EXPECT_NE(config.find("@DIR@/sub/d"), std::string::npos);
  EXPECT_NE(config.find("E: \"1\""), std::string::npos);
  rig.request.environment = {{"TAG", "local"}};
  EXPECT_NE(rig.config().find("image: api:local"), std::string::npos);
}

TEST(Include, ConflictsAndCyclesAreTold) {
  ProjectRig rig;
  rig.write("a.yaml", "services: {web: {image: other}}");
  rig.write("compose.yaml", "include: [a.yaml]\nservices: {web: {image: web}}");
  EXPECT_EQ(rig.errors(),
            "a.yaml:1:12: services.web: the including file defines it too, as something else; give one of them another "
            "name, or list an override under include.path");
  rig.write("a.yaml", "include: [b.yaml]");
  rig.write("b.yaml", "include: [a.yaml]");
  EXPECT_EQ(rig.errors(), "b.yaml:1:11: include: a cycle: a.yaml -> b.yaml -> a.yaml");
  rig.write("compose.yaml", "include: [none.yaml]\nservices: {web: {image: web}}");
  EXPECT_EQ(rig.errors(), "compose.yaml:1:11: include: none.yaml: there is no such file");
}

// compose-spec, "Profiles", its own example
TEST(Profiles, NeverActivateADependency) {
  ProjectRig rig;
  rig.write("compose.yaml", R"(
services:
  foo: {image: foo}
  bar: {image: bar, profiles: [test]}
  baz: {image: baz, depends_on: [bar], profiles: [test]}
  zot: {image: zot, depends_on: [bar], profiles: [debug]}
)");
  const auto names = [&](std::vector<std::string> profiles, std::vector<std::string> targets) {
    rig.request.profiles = std::move(profiles);
    rig.request.targets = std::move(targets);
    const Loaded loaded = rig.load();
    if (loaded.findings.has_errors()) return loaded.findings.all()[0].code;
    std::string out;
    for (const Service &service : loaded.project.services) out += service.name + " ";
    return out;
  };
  EXPECT_EQ(names({}, {}), "foo ");
  EXPECT_EQ(names({"test"}, {}), "foo bar baz ");
  EXPECT_EQ(names({"debug"}, {}), "disabled-service");
  EXPECT_EQ(names({"debug", "test"}, {}), "foo bar baz zot ");
  EXPECT_EQ(names({"*"}, {}), "foo bar baz zot ");
  EXPECT_EQ(names({}, {"bar"}), "foo bar baz ");
  EXPECT_EQ(names({}, {"baz"}), "foo bar baz ");
  EXPECT_EQ(names({}, {"zot"}), "disabled-service");
  EXPECT_EQ(names({"test"}, {"zot"}), "foo bar baz zot ");
  rig.request.environment = {{"COMPOSE_PROFILES", "debug,test"}};
  EXPECT_EQ(names({}, {}), "foo bar baz zot ");
}

// compose-spec, "Compose file" and "Name top-level element"
TEST(ProjectFiles, AreFoundUpwardAndNamed) {
  ProjectRig rig;
  rig.write("deep/er/x", "");
  rig.write("compose.yml", "services: {web: {image: a}}");
  rig.request.working_directory = rig.path("deep/er");
  EXPECT_EQ(rig.load().project.name, "shop");
  EXPECT_EQ(rig.load().project.directory, rig.path());
  rig.write("compose.yml", "name: from-file\nservices: {web: {image: \"${COMPOSE_PROJECT_NAME}\"}}");
  EXPECT_EQ(rig.load().project.name, "from-file");
  EXPECT_EQ(rig.load().project.services.at(0).image, "from-file");
  rig.request.environment = {{"COMPOSE_PROJECT_NAME", "from-env"}};
  EXPECT_EQ(rig.load().project.name, "from-env");
  rig.request.project_name = "from-flag";
  EXPECT_EQ(rig.load().project.name, "from-flag");
  EXPECT_EQ(rig.load().project.networks.at(0).name, "from-flag_default");
  rig.request.project_name = "Bad";
  EXPECT_EQ(rig.errors(),
            "\"Bad\" is no name for a project; it is made of lower case letters, digits, - and _, and begins with a "
            "letter or a digit");
}

TEST(ProjectFiles, ComeFromVariables) {
  ProjectRig rig;
  rig.write("a.yaml", "services: {a: {image: a}}");
  rig.write("b.yaml", "services: {b: {image: \"${B}\"}}");
  rig.write("b.env", "B=from-b\n");
  rig.write(".env", "COMPOSE_FILE=a.yaml,b.yaml\nCOMPOSE_PATH_SEPARATOR=,\nB=dotenv\n");
  EXPECT_EQ(rig.load().project.services.size(), 2U);
  EXPECT_EQ(rig.load().project.services.at(1).image, "dotenv");
  rig.request.environment = {{"COMPOSE_FILE", "b.yaml"}, {"COMPOSE_ENV_FILES", "b.env"}};
  EXPECT_EQ(rig.load().project.services.at(0).image, "from-b");
}

TEST(ProjectFiles, WithoutOneItIsSaid) {
  ProjectRig rig;
  rig.write("x", "");
  EXPECT_EQ(rig.errors(),
            "@DIR@: no compose.yaml and no compose.ctst here or in a folder above: no such file or directory; name a "
            "file with "
            "-f");
}

TEST(ProjectFiles, ACtstFileGoesTheSameWay) {
  ProjectRig rig;
  rig.write("compose.ctst", "COMPONENT web {\n  image = \"oci:web\"\n  port = 80\n}\n");
  const Loaded loaded = rig.load();
  ASSERT_FALSE(loaded.findings.has_errors()) << as_error(loaded.findings).text;
  EXPECT_EQ(loaded.project.services.at(0).name, "web");
  EXPECT_EQ(loaded.project.name, "shop");
}

TEST(Check, TellsEverythingAtOnce) {
  ProjectRig rig;
  rig.write("compose.yaml", R"(services:
  web:
    imag: nginx
    image: nginx
    ports: ["99999:80"]
    volumes: [data:/data]
    depends_on: [db]
    stop_grace_period: soon
    mem_limit: lots
    restart: sometimes
    tty: maybe
    x-mine: {any: thing}
    deploy: {placement: {constraints: [a]}}
    environment: {A: [1]}
    networks: [back]
    healthcheck: {test: [curl]}
)");
  EXPECT_EQ(
      rig.errors(),
      R"(compose.yaml:5:13: services.web.ports[0]: "99999:80": "99999" is no port; a port is [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL], from 1 to 65535
compose.yaml:3:5: services.web.imag: there is no such key; did you mean image?
compose.yaml:8:24: services.web.stop_grace_period: has to be a duration, such as 1m30s, not "soon"
compose.yaml:9:16: services.web.mem_limit: has to be a size, such as 512m, not "lots"
compose.yaml:11:10: services.web.tty: has to be true or false, not "maybe"
compose.yaml:14:22: services.web.environment.A: has to be a string, not a list)");
  EXPECT_EQ(rig.warnings(), "compose.yaml:13:14: services.web.deploy.placement: this key has no effect here");
}

TEST(Check, NamesThatDoNotExistAreTold) {
  ProjectRig rig;
  rig.write("compose.yaml", R"(services:
  web:
    image: nginx
    volumes: [dta:/data]
    depends_on: [bd]
    networks: [back]
    secrets: [key]
    configs: [conf]
    restart: sometimes
  db: {}
  twice: {image: a, network_mode: host, networks: [x]}
volumes: {data: }
)");
  EXPECT_EQ(rig.errors(),
            R"(compose.yaml:5:18: services.web.depends_on: there is no service bd; did you mean db?
compose.yaml:6:16: services.web.networks: there is no network back; define it under the top level's networks:
compose.yaml:4:15: services.web.volumes: there is no volume dta; did you mean data?
compose.yaml:7:15: services.web.secrets: there is no secret key; define it under the top level's secrets:
compose.yaml:8:15: services.web.configs: there is no config conf; define it under the top level's configs:
compose.yaml:10:3: services.db: it has neither an image nor a build context; give it image: or build:
compose.yaml:11:52: services.twice.networks: there is no network x; define it under the top level's networks:
compose.yaml:11:35: services.twice: networks and network_mode exclude each other; remove one of them
compose.yaml:9:14: services.web.restart: "sometimes" is not no, always, unless-stopped or on-failure[:N])");
}

TEST(Check, ACycleOfDependenciesIsPrinted) {
  ProjectRig rig;
  rig.write("compose.yaml",
            "services:\n  a: {image: a, depends_on: [b]}\n  b: {image: a, depends_on: [c]}\n"
            "  c: {image: a, network_mode: \"service:a\"}\n  d: {image: d, depends_on: [d]}\n");
  EXPECT_EQ(rig.errors(),
            R"(compose.yaml:4:31: services.c.depends_on: a cycle: a -> b -> c -> a; one of them has to start first
compose.yaml:5:30: services.d.depends_on: a cycle: d -> d; one of them has to start first)");
}

// What the canonical tree says arrives in the model.
TEST(Decode, FillsTheModel) {
  ProjectRig rig;
  rig.write("compose.yaml", R"(services:
  web:
    image: a
    ports: ["127.0.0.1:80:80", "8000-8010:90/udp", "443"]
    volumes: ["./d:/d:ro", {type: tmpfs, target: /t, tmpfs: {size: 1k, mode: 0755}}, "v:/v"]
    tmpfs: ["/run:size=1m,mode=700"]
    depends_on: {db: {condition: service_healthy, restart: true}}
    healthcheck: {test: x, interval: 1m30s, retries: 2}
    restart: on-failure:3
    memswap_limit: -1
    deploy: {resources: {limits: {cpus: "1.5", memory: 64m, pids: 7}}}
    scale: 2
    ulimits: {nofile: {soft: 1, hard: -1}}
    security_opt: ["seccomp=./p.json"]
    secrets: [{source: s, mode: 0440, uid: "7"}]
    gpus: all
    stop_grace_period: 1m
    x-skiff: {cpu_weight: 50, drop_all_capabilities: true}
  db: {image: b, command: [], deploy: {restart_policy: {condition: any, delay: 3s}}}
volumes: {v: {external: true}}
secrets: {s: {file: ./s}}
)");
  const Loaded loaded = rig.load();
  ASSERT_FALSE(loaded.findings.has_errors()) << as_error(loaded.findings).text;
  const Service &web = loaded.project.services.at(0);
  ASSERT_EQ(web.ports.size(), 3U);
  EXPECT_EQ(web.ports[0].host_address, "127.0.0.1");
  EXPECT_EQ(web.ports[1].protocol, "udp");
  EXPECT_EQ(web.ports[1].host, 8000);
  EXPECT_EQ(web.ports[1].host_last, 8010);
  EXPECT_FALSE(web.ports[2].host);
  ASSERT_EQ(web.mounts.size(), 4U);
  EXPECT_EQ(web.mounts[0].source, rig.path("d"));
  EXPECT_TRUE(web.mounts[0].read_only && web.mounts[0].create_host_path);
  EXPECT_EQ(web.mounts[1].size, 1024U);
  EXPECT_EQ(web.mounts[1].mode, 0755U);
  EXPECT_EQ(web.mounts[3].options, (std::vector<std::string>{"size=1m", "mode=700"}));
  EXPECT_EQ(web.depends_on.at(0).condition, Dependency::Condition::healthy);
  EXPECT_TRUE(web.depends_on.at(0).restart);
  EXPECT_EQ(web.health_check->test, (std::vector<std::string>{"CMD-SHELL", "x"}));
  EXPECT_EQ(web.health_check->interval, std::chrono::seconds(90));
  EXPECT_EQ(web.restart.max_retries, 3U);
  EXPECT_EQ(web.resources.memory, 64 << 20);
  EXPECT_EQ(web.resources.memory_swap, -1);
  EXPECT_EQ(web.resources.cpus, 1.5);
  EXPECT_EQ(web.resources.pids, 7);
  EXPECT_EQ(web.resources.cpu_weight, 50U);
  EXPECT_TRUE(web.drops_all_capabilities);
  EXPECT_EQ(web.replicas, 2U);
  EXPECT_EQ(web.ulimits.at(0).hard, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(web.seccomp, rig.path("p.json"));
  EXPECT_EQ(web.secrets.at(0).target, "/run/secrets/s");
  EXPECT_EQ(web.secrets.at(0).mode, 0440U);
  EXPECT_EQ(web.secrets.at(0).uid, 7U);
  EXPECT_EQ(web.gpus, std::vector<std::string>{"all"});
  EXPECT_EQ(web.stop_grace_period, std::chrono::minutes(1));
  const Service &db = loaded.project.services.at(1);
  EXPECT_TRUE(db.command && db.command->empty());
  EXPECT_FALSE(db.entrypoint);
  EXPECT_EQ(db.restart.policy, Restart::Policy::always);
  EXPECT_EQ(db.restart.delay, std::chrono::seconds(3));
  EXPECT_EQ(loaded.project.volumes.at(0).name, "v");
  EXPECT_EQ(loaded.project.secrets.at(0).file, rig.path("s"));
}

constexpr std::string_view sample = R"(x-a: &a {image: "a:${T:-1}", restart: always}
services:
  web:
    <<: *a
    ports: ["80-81:80-81/udp", {target: 9, published: 9}]
    volumes: [./a:/a:ro, v:/v]
    environment: [A=1, B]
    depends_on: {db: {condition: service_started}}
    healthcheck: {test: "x 'y'", interval: 1m}
    command: sh -c "a b"
    deploy: {resources: {limits: {memory: 1g, cpus: '.5'}}}
    ulimits: {nofile: 5}
    secrets: [s]
  db: *a
volumes: {v: {}}
secrets: {s: {file: ./s}}
)";

void run_through(std::string text) {
  const Source source{"compose.yaml", std::move(text)};
  Findings findings;
  for (Value &document : parse_yaml(source, findings)) {
    std::set<std::string> told;
    interpolate(document, [](const std::string &) { return std::optional<std::string>(); }, told, findings);
    ProjectFacts facts;
    facts.name = "x";
    facts.directory = "/d";
    facts.home = "/h";
    const Project project = finish_project(std::move(document), facts, findings);
    (void)print_yaml(project.canonical);
  }
  for (const Finding &finding : findings.all()) EXPECT_FALSE(finding.message().empty());
}

TEST(Load, EveryPrefixAndEveryBrokenByteEndsInFindings) {
  for (std::size_t size = 0; size < sample.size(); ++size) run_through(std::string(sample.substr(0, size)));
  for (std::size_t at = 0; at < sample.size(); ++at) {
    for (const unsigned bit : {0x01U, 0x10U, 0x80U}) {
      std::string text(sample);
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ bit);
      run_through(std::move(text));
    }
  }
  Findings findings;
  const Source source{"compose.yaml", std::string(sample)};
  (void)parse_yaml(source, findings);
  EXPECT_TRUE(findings.all().empty());
}

}  // namespace
}  // namespace skiff::compose
