// CTST.md, "Properties": what each becomes, and what is told of one that is wrong.
#include <gtest/gtest.h>

#include "tests/compose/ctst_rig.h"

namespace skiff::compose {
namespace {

struct Becomes {
  const char *property;
  const char *path;  // below services.a
  const char *value;
};

class CtstProperty : public testing::TestWithParam<Becomes> {};

TEST_P(CtstProperty, BecomesAKeyOfCompose) {
  CtstRig rig;
  rig.request.environment = {{"TAG", "7"}, {"EMPTY", ""}};
  rig.load(std::string("COMPONENT a { image = \"x\", ") + GetParam().property + " }");
  EXPECT_FALSE(rig.findings.has_errors()) << rig.told();
  EXPECT_EQ(rig.at(std::string("services.a.") + GetParam().path), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    All, CtstProperty,
    testing::Values(
        Becomes{"", "image", "x"}, Becomes{"port = 5432", "expose", "[5432]"}, Becomes{"port = 5432", "ports", "-"},
        Becomes{"ports = [80, 443]", "ports",
                "[{target: 80, published: 80, protocol: tcp}, {target: 443, published: 443, protocol: tcp}]"},
        Becomes{"memory = \"64MiB\"", "mem_limit", "67108864"}, Becomes{"memory = \"64MB\"", "mem_limit", "64000000"},
        Becomes{"memory = \"1.5GiB\"", "mem_limit", "1610612736"}, Becomes{"memory = \"4096\"", "mem_limit", "4096"},
        Becomes{"memory = \"64m\"", "mem_limit", "67108864"}, Becomes{"cpu = \"512\"", "cpu_shares", "512"},
        Becomes{"cpu = \"1.5\"", "cpus", "1.5"}, Becomes{"env = { A = \"1\", B = 2 }", "environment", "{A: 1, B: 2}"},
        Becomes{"volume = \"./data:/srv:ro\"", "volumes",
                "[{type: bind, source: DIR/data, target: /srv, read_only: true, bind: {create_host_path: true}}]"},
        Becomes{"volumes = [\"/a:/b\", \"../x/./y:/c\"]", "volumes",
                "[{type: bind, source: /a, target: /b, bind: {create_host_path: true}}, {type: bind, source: /tmp/x/y, "
                "target: /c, bind: {create_host_path: true}}]"},
        Becomes{"command = [\"a\", \"b c\"]", "command", "[a, b c]"}, Becomes{"entrypoint = []", "entrypoint", "[]"},
        Becomes{"", "read_only", "true"}, Becomes{"readonly = false", "read_only", "false"},
        Becomes{"workdir = \"/w\"", "working_dir", "/w"}, Becomes{"user = \"1:2\"", "user", "1:2"},
        Becomes{"", "hostname", "a"}, Becomes{"hostname = \"h\"", "hostname", "h"},
        Becomes{"restart = \"never\"", "restart", "no"}, Becomes{"restart = \"no\"", "restart", "no"},
        Becomes{"restart = \"on-failure\"", "restart", "on-failure"},
        Becomes{"restart = \"always\"", "restart", "always"}, Becomes{"network = \"bridge\"", "networks", "-"},
        Becomes{"network = \"host\"", "network_mode", "host"}, Becomes{"network = \"none\"", "network_mode", "none"},
        Becomes{"network = \"back\"", "networks", "{back: null}"},
        Becomes{"healthcheck = { command = [\"ok\"] }", "healthcheck",
                "{test: [CMD, ok], interval: 30s, timeout: 5s, start_period: 0s, retries: 3}"},
        Becomes{"healthcheck = { command = [\"ok\"] interval = \"5\" timeout = \"250ms\" retries = 9 start_period = "
                "\"1m30s\" }",
                "healthcheck", "{test: [CMD, ok], interval: 5s, timeout: 250ms, start_period: 1m30s, retries: 9}"},
        Becomes{"", "cap_drop", "[ALL]"}, Becomes{"caps = [\"CHOWN\"]", "cap_add", "[CHOWN]"},
        Becomes{"tmpfs = \"/tmp\"", "tmpfs", "[/tmp]"}, Becomes{"pids = 64", "pids_limit", "64"},
        Becomes{"replicas = 3", "scale", "3"}, Becomes{"stop_signal = \"SIGINT\"", "stop_signal", "SIGINT"},
        Becomes{"stop_timeout = \"1m\"", "stop_grace_period", "1m"},
        Becomes{"stop_timeout = 5", "stop_grace_period", "5s"},
        Becomes{"seccomp = \"strict\"", "x-skiff", "{seccomp: strict}"},
        Becomes{"seccomp = \"p.json\"", "x-skiff", "{seccomp: DIR/p.json}"},
        Becomes{"devices = [\"/dev/null:/dev/x\"]", "devices", "[/dev/null:/dev/x]"},
        Becomes{"labels = { team = \"a\" n = 1 }", "labels", "{team: a, n: 1}"},
        Becomes{"labels = [\"a.b=c\"]", "labels", "[a.b=c]"}, Becomes{"protocol = \"grpc\"", "protocol", "-"},
        Becomes{"workdir = \"${env.TAG}/${env.NONE:-d}/${env.EMPTY:-e}\"", "working_dir", "7/d/e"},
        Becomes{"param p = \"80${env.TAG}\" port = \"${param.p}\"", "expose", "[807]"},
        Becomes{"param p = \"false\" readonly = \"${param.p}\"", "read_only", "false"},
        Becomes{"command = [\"$${env.TAG} $$\"]", "command", "[${env.TAG} $$]"}));

struct Source3 {
  const char *image;
  const char *shown;  // image, pull_policy, x-skiff
};

class CtstImage : public testing::TestWithParam<Source3> {};

// CTST.md, "Image sources".
TEST_P(CtstImage, IsOneOfTheSources) {
  CtstRig rig;
  rig.load(std::string("COMPONENT a { image = \"") + GetParam().image + "\" }");
  EXPECT_FALSE(rig.findings.has_errors()) << rig.told();
  EXPECT_EQ(rig.at("services.a.image") + " " + rig.at("services.a.pull_policy") + " " + rig.at("services.a.x-skiff"),
            GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    All, CtstImage,
    testing::Values(Source3{"postgres", "postgres - -"},
                    Source3{"localhost:5000/a/b_c:1.2", "localhost:5000/a/b_c:1.2 - -"},
                    Source3{"oci://ghcr.io/a/b", "ghcr.io/a/b - -"}, Source3{"image://a:1", "a:1 never -"},
                    Source3{"file://./root", "- - {rootfs: DIR/root}"}, Source3{"file:///root", "- - {rootfs: /root}"},
                    Source3{"tar://../a.tar", "tar:///tmp/a.tar - -"},
                    Source3{"a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                            "a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 - -"},
                    Source3{"tar:///a.tar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                            "tar:///a.tar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 - -"},
                    Source3{"https://h/a.tar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                            "https://h/a.tar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 - "
                            "-"}));

struct Wrong {
  const char *property;
  const char *told;  // below the place
};

class CtstWrong : public testing::TestWithParam<Wrong> {};

// CTST.md, "Checks": type mismatch, unknown property, bad image uri, exclusive properties.
TEST_P(CtstWrong, IsTold) {
  CtstRig rig;
  rig.load(std::string("COMPONENT a { ") + GetParam().property + " }");
  ASSERT_EQ(rig.findings.all().size(), 1U) << rig.told();
  const Finding &one = rig.findings.all().front();
  EXPECT_EQ(rig.without_folder(one.code + ": " + one.text + "; " + one.remedy), GetParam().told);
}

#define X "image = \"x\" "
INSTANTIATE_TEST_SUITE_P(
    All, CtstWrong,
    testing::Values(
        Wrong{X "imge = \"y\"", "unknown-property: a: there is no property imge; did you mean image?"},
        Wrong{X "RESTART = \"y\"", "unknown-property: a: there is no property RESTART; did you mean restart?"},
        Wrong{"port = 1",
              "missing-image: a.image: it is missing; add image = \"...\", or FROM a component that has one"},
        Wrong{X "port = 1 ports = [2]", "exclusive-properties: a has both port and ports; keep one of them"},
        Wrong{X "volume = \"/a:/b\" volumes = []",
              "exclusive-properties: a has both volume and volumes; keep one of them"},
        Wrong{X "port = \"80\"", "wrong-type: a.port: a string in place of a number; write 80 without quotes"},
        Wrong{X "port = 65536", "bad-port: a.port: 65536 is no port; ports are 1 to 65535"},
        Wrong{X "port = 99999999999999999999", "bad-value: a.port: 99999999999999999999 is no number that fits; "},
        Wrong{X "ports = 80", "wrong-type: a.ports: a number in place of a list of numbers; write [80]"},
        Wrong{X "ports = [80, 80]", "duplicate-port: a.ports[1]: 80 stands in the list already; "},
        Wrong{X "memory = 64", "wrong-type: a.memory: a number in place of a string; write \"64\""},
        Wrong{X "memory = \"64XB\"", "bad-value: a.memory: \"64XB\" is no size; write 64MiB, 1GB or bytes alone"},
        Wrong{
            X "cpu = \"1\"",
            "bad-value: a.cpu: \"1\" is neither shares nor cores; write \"512\" for shares (2 to 262144), \"1.5\" for "
            "cores"},
        Wrong{X "env = [\"A=1\"]", "wrong-type: a.env: a list in place of a map; write { NAME = \"value\" }"},
        Wrong{X "env = { A = [\"x\"] }", "wrong-type: a.env.A: a list in place of a string; "},
        Wrong{X "volume = \"data\"",
              "bad-value: a.volume: \"data\": no source and target; write SOURCE:/TARGET or SOURCE:/TARGET:ro"},
        Wrong{X "volume = \"a:/b:rx\"",
              "bad-value: a.volume: \"a:/b:rx\": rx is no option; write SOURCE:/TARGET or SOURCE:/TARGET:ro"},
        Wrong{X "volumes = [\"a:b\"]",
              "bad-value: a.volumes[0]: \"a:b\": the target is no absolute path; write SOURCE:/TARGET or "
              "SOURCE:/TARGET:ro"},
        Wrong{X "command = \"run it\"",
              "wrong-type: a.command: a string in place of a list of strings; write [\"run it\"]"},
        Wrong{X "command = [1]", "wrong-type: a.command[0]: a number in place of a string; write \"1\""},
        Wrong{X "readonly = \"true\"",
              "wrong-type: a.readonly: a string in place of true or false; write true without quotes"},
        Wrong{X "restart = \"allways\"", "bad-value: a.restart: \"allways\" is no policy; did you mean always?"},
        Wrong{X "network = \"\"",
              "bad-value: a.network: \"\" is no name of a network; write bridge, host, none or a name of its own"},
        Wrong{X "healthcheck = { interval = \"1s\" }",
              "bad-value: a.healthcheck: it has no command; add command = [\"...\"]"},
        Wrong{X "healthcheck = { command = [\"x\"] intervall = \"1s\" }",
              "unknown-property: a.healthcheck: there is no intervall; did you mean interval?"},
        Wrong{X "healthcheck = { command = [\"x\"] interval = \"1d\" }",
              "bad-value: a.healthcheck.interval: \"1d\" is no duration; write 30s, 1m30s or 250ms"},
        Wrong{X "healthcheck = { command = [\"x\"] retries = 0 }",
              "bad-value: a.healthcheck.retries: 0 is too few; write 1 or more"},
        Wrong{X "template = \"true\"", "wrong-type: a.template: write true or false; "},
        Wrong{"image = \"fil://x\"", "bad-image: a.image: fil:// is no source of images; did you mean file://?"},
        Wrong{"image = \"http://x\"",
              "bad-image: a.image: http:// is no source of images; http is not safe from change on its way: use https"},
        Wrong{"image = \"https://h/a.tar\"",
              "bad-image: a.image: an archive by https has no digest that it must have; add @sha256:DIGEST"},
        Wrong{"image = \"a@sha256:12\"",
              "bad-image: a.image: sha256:12: no digest; sha256: has 64 hexadecimal digits behind it"},
        Wrong{"image = \"Postgres:16\"",
              "bad-image: a.image: Postgres:16: no name of an image; names of images are in lower case"},
        Wrong{"image = \"tar://\"", "bad-image: a.image: tar:// without a path; "},
        Wrong{"image = \"a:\"", "bad-image: a.image: \"\": no tag; "},
        Wrong{X "workdir = \"${env.NOT_SET}\"",
              "missing-variable: $NOT_SET is not set; set it, or write ${env.NOT_SET:-default}"},
        Wrong{X "workdir = \"${param.p}\"", "missing-parameter: a has no param p; "},
        Wrong{X "param p workdir = \"${param.p}\"",
              "missing-parameter: param p of a has no value; add param p = \"...\" to a"},
        Wrong{X "param p = \"${param.q}\" param q = \"${param.p}\" workdir = \"${param.p}\"",
              "parameter-cycle: param p is made of itself: p -> q -> p; "},
        Wrong{X "workdir = \"${b.host}\"", "unknown-component: there is no component b; did you mean a?"},
        Wrong{X "workdir = \"${a.port}\"", "no-port: a has no port; add port = NUMBER to a"},
        Wrong{"image = \"${a.host}\"",
              "component-place: ${a...}: this is known before any component is; a component may be named in env, "
              "command, "
              "entrypoint and the like"},
        Wrong{X "labels = { a = \"${secret.x}\" }",
              "secret-place: a secret has no place here: a; it may stand in env, command and entrypoint"}));

TEST(CtstSize, DockersSuffixesAreToldOf) {
  CtstRig rig;
  rig.load("COMPONENT a {\n  image = \"x\"\n  memory = \"64m\"\n}\n");
  EXPECT_EQ(rig.told(),
            "DIR/main.ctst:3:12: a.memory: \"64m\" is taken for 67108864 bytes; write KiB, MiB, GiB or KB, MB, GB\n"
            "    memory = \"64m\"\n"
            "             ^\n");
  EXPECT_EQ(rig.findings.all().front().level, Finding::Level::warning);
}

// Positions point into the file: what decode_project finds wrong is told there too.
TEST(CtstModel, ValuesKnowWhereTheyStand) {
  CtstRig rig;
  rig.load("COMPONENT a {\n  image = \"x\"\n  devices = [\"a\",\n    \"b\"]\n}\n");
  const Value *devices = rig.loaded.model.find("services")->find("a")->find("devices");
  EXPECT_EQ(devices->items[1].at.line, 4U);
  EXPECT_EQ(devices->items[1].at.column, 5U);
  EXPECT_EQ(devices->items[1].at.source, rig.loaded.sources.front().get());
}

}  // namespace
}  // namespace skiff::compose
