// CTST.md, "CONNECT", "EXPOSE" in "Grammar", "Secrets", and the checks that concern several components.
#include <gtest/gtest.h>

#include "tests/compose/ctst_rig.h"

namespace skiff::compose {
namespace {

constexpr const char *shop =
    "COMPONENT web { image = \"web\" port = 8000 }\n"
    "COMPONENT my-db { image = \"docker.io/library/postgres:16\" port = 5432\n"
    "  healthcheck = { command = [\"pg_isready\"] } }\n"
    "COMPONENT queue { image = \"rabbitmq\" ports = [5672, 15672] protocol = \"amqps\" }\n";

// CTST.md, "CONNECT": a waits until b is healthy, or started where b has no healthcheck.
TEST(CtstConnect, BecomesDependsOn) {
  CtstRig rig;
  rig.load(std::string(shop) + "CONNECT web -> my-db CONNECT web->queue");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(
      rig.at("services.web.depends_on"),
      "{my-db: {condition: service_healthy, required: true}, queue: {condition: service_started, required: true}}");
  EXPECT_EQ(rig.at("services.my-db.depends_on"), "-");
}

// CTST.md, "CONNECT": B_HOST, B_PORT (port, else the first of ports), B_CONNECTION_STRING; protocol overrides.
TEST(CtstConnect, InjectsWhereTheOtherIs) {
  CtstRig rig;
  rig.load(std::string(shop) + "CONNECT web -> my-db CONNECT web->queue");
  EXPECT_EQ(rig.at("services.web.environment"),
            "{MY_DB_HOST: my-db, MY_DB_PORT: 5432, MY_DB_CONNECTION_STRING: postgres://my-db:5432, QUEUE_HOST: queue, "
            "QUEUE_PORT: 5672, QUEUE_CONNECTION_STRING: amqps://queue:5672}");
}

TEST(CtstConnect, WithoutAPortThereIsAHostAlone) {
  CtstRig rig;
  rig.load("COMPONENT a { image = \"a\" } COMPONENT b { image = \"b\" } CONNECT a -> b");
  EXPECT_EQ(rig.at("services.a.environment"), "{B_HOST: b}");
}

// CTST.md, "CONNECT": an env entry written by hand wins, with a note.
TEST(CtstConnect, WhatIsWrittenByHandWins) {
  CtstRig rig;
  rig.load(
      "COMPONENT a {\n  image = \"a\"\n  env = { B_HOST = \"elsewhere\" }\n}\n"
      "COMPONENT b { image = \"b\" }\nCONNECT a -> b\n");
  EXPECT_EQ(rig.at("services.a.environment"), "{B_HOST: elsewhere}");
  EXPECT_EQ(rig.told(),
            "DIR/main.ctst:3:11: a.env.B_HOST stays as it is written here, in place of b by CONNECT a -> b\n"
            "    env = { B_HOST = \"elsewhere\" }\n"
            "            ^\n");
  EXPECT_EQ(rig.findings.all().front().level, Finding::Level::note);
}

struct Scheme {
  const char *image;
  const char *string;
};
class CtstScheme : public testing::TestWithParam<Scheme> {};
TEST_P(CtstScheme, IsGuessedFromTheImage) {
  CtstRig rig;
  rig.load(
      std::string(
          "COMPONENT a { image = \"a\" env = { X = \"${b.connection_string}\" } } COMPONENT b { port = 1 image = \"") +
      GetParam().image + "\" } CONNECT a -> b");
  EXPECT_FALSE(rig.findings.has_errors()) << rig.told();
  EXPECT_EQ(rig.at("services.a.environment.X"), GetParam().string);
}
INSTANTIATE_TEST_SUITE_P(All, CtstScheme,
                         testing::Values(Scheme{"postgres", "postgres://b:1"}, Scheme{"x/mysql:8", "mysql://b:1"},
                                         Scheme{"mariadb", "mysql://b:1"}, Scheme{"redis:7-alpine", "redis://b:1"},
                                         Scheme{"mongo", "mongodb://b:1"}, Scheme{"rabbitmq", "amqp://b:1"},
                                         Scheme{"tar:///images/postgres-16.tar", "postgres://b:1"},
                                         Scheme{"file:///roots/redis", "redis://b:1"}, Scheme{"nginx", "http://b:1"},
                                         Scheme{"redis/insight", "http://b:1"}));

// CTST.md, "Properties": host shares the host's network, where a name means nothing.
TEST(CtstConnect, OnTheHostsNetworkItIsLocalhost) {
  CtstRig rig;
  rig.load(
      "COMPONENT a { image = \"a\" network = \"host\" } COMPONENT b { image = \"b\" port = 1 network = \"host\" } "
      "CONNECT a -> b");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.a.environment.B_CONNECTION_STRING"), "http://localhost:1");
}

// CTST.md, "Properties": NAME is a bridge of its own.
TEST(CtstNetwork, ANameIsANetworkOfTheProject) {
  CtstRig rig;
  rig.load(
      "COMPONENT a { image = \"a\" network = \"back\" } COMPONENT b { image = \"b\" network = \"back\" } CONNECT a -> "
      "b");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("networks"), "{back: null}");
}

struct Case {
  const char *text;
  const char *told;
};
class CtstChecks : public testing::TestWithParam<Case> {};
TEST_P(CtstChecks, AreToldWithTheirPlace) {
  CtstRig rig;
  rig.load(GetParam().text);
  EXPECT_EQ(rig.told(), GetParam().told);
}

#define AB "COMPONENT a { image = \"a\" }\nCOMPONENT bee { image = \"b\" }\n"
INSTANTIATE_TEST_SUITE_P(
    Connect, CtstChecks,
    testing::Values(
        Case{AB "CONNECT a -> be\nCONNECT a -> bee",
             "DIR/main.ctst:3:14: there is no component be; did you mean bee?\n"
             "  CONNECT a -> be\n"
             "               ^\n"},
        Case{AB "CONNECT a -> a\nCONNECT a -> bee",
             "DIR/main.ctst:3:9: a -> a: it cannot wait for itself\n"
             "  CONNECT a -> a\n"
             "          ^\n"},
        Case{AB "COMPONENT c { image = \"c\" }\nCONNECT a -> bee\nCONNECT bee -> c\nCONNECT c -> a",
             "DIR/main.ctst:6:9: a cycle: c -> a -> bee -> c; one of them has to start first\n"
             "  CONNECT c -> a\n"
             "          ^\n"},
        Case{AB "CONNECT a -> bee\nCONNECT a -> bee",
             "DIR/main.ctst:4:9: CONNECT a -> bee stands in line 3 already\n"
             "  CONNECT a -> bee\n"
             "          ^\n"},
        Case{AB "COMPONENT t { template = true }\nCONNECT a -> bee\nCONNECT a -> t",
             "DIR/main.ctst:5:14: t is a template: it is not started; connect what is made FROM it\n"
             "  CONNECT a -> t\n"
             "               ^\n"},
        Case{"COMPONENT a { image = \"a\" }\nCOMPONENT x-y { image = \"b\" }\nCOMPONENT x_y { image = \"b\" }\n"
             "CONNECT a -> x-y\nCONNECT a -> x_y",
             "DIR/main.ctst:5:14: x-y and x_y would both be X_Y_HOST in a; rename one of them\n"
             "  CONNECT a -> x_y\n"
             "               ^\n"},
        Case{"COMPONENT a { image = \"a\" network = \"n\" }\nCOMPONENT b { image = \"b\" }\nCONNECT a -> b",
             "DIR/main.ctst:3:9: a is on network n, b on bridge: a will not reach it; give both the same network\n"
             "  CONNECT a -> b\n"
             "          ^\n"}));

#define PORTS "COMPONENT a { image = \"a\" port = 80 }\nCOMPONENT b { image = \"b\" port = 80 }\nCONNECT a -> b\n"
INSTANTIATE_TEST_SUITE_P(
    Expose, CtstChecks,
    testing::Values(
        Case{PORTS "EXPOSE 8080:81",
             "DIR/main.ctst:4:13: no component declares port 81; add port = 81\n"
             "  EXPOSE 8080:81\n"
             "              ^\n"},
        Case{PORTS "EXPOSE 8080:80",
             "DIR/main.ctst:4:13: port 80 is declared by a and b; write EXPOSE a 8080:80\n"
             "  EXPOSE 8080:80\n"
             "              ^\n"},
        Case{PORTS "EXPOSE b 8080:81",
             "DIR/main.ctst:4:15: b does not declare port 81; add port = 81 to b\n"
             "  EXPOSE b 8080:81\n"
             "                ^\n"},
        Case{PORTS "EXPOSE a 8080:80\nEXPOSE b 8080:80",
             "DIR/main.ctst:5:10: port 8080 of the host is taken by a (line 4); EXPOSE b OTHER:80\n"
             "  EXPOSE b 8080:80\n"
             "           ^\n"},
        Case{PORTS "EXPOSE a 0:80",
             "DIR/main.ctst:4:10: 0 is no port; ports are 1 to 65535\n"
             "  EXPOSE a 0:80\n"
             "           ^\n"},
        Case{"COMPONENT a { image = \"a\" ports = [80] replicas = 2 }",
             "DIR/main.ctst:1:36: 2 replicas of a cannot all have port 80 of the host; publish a component in front of "
             "them\n"
             "  COMPONENT a { image = \"a\" ports = [80] replicas = 2 }\n"
             "                                     ^\n"}));

INSTANTIATE_TEST_SUITE_P(
    Warnings, CtstChecks,
    testing::Values(Case{AB,
                         "DIR/main.ctst:1:11: nothing reaches a: no CONNECT, no EXPOSE, no reference names it\n"
                         "  COMPONENT a { image = \"a\" }\n"
                         "            ^\n"
                         "DIR/main.ctst:2:11: nothing reaches bee: no CONNECT, no EXPOSE, no reference names it\n"
                         "  COMPONENT bee { image = \"b\" }\n"
                         "            ^\n"},
                    Case{"COMPONENT a { image = \"a\" env = { B = \"${b.host}\" } }\nCOMPONENT b { image = \"b\" }",
                         "DIR/main.ctst:1:40: a names b and does not wait for it; add CONNECT a -> b\n"
                         "  COMPONENT a { image = \"a\" env = { B = \"${b.host}\" } }\n"
                         "                                         ^\n"},
                    Case{"COMPONENT a { image = \"a\" }\nCOMPONENT a { image = \"b\" }",
                         "DIR/main.ctst:2:11: component a stands in line 1 already\n"
                         "  COMPONENT a { image = \"b\" }\n"
                         "            ^\n"}));

// CTST.md, "Grammar": EXPOSE HOST:CONTAINER; "Properties": ports are published under their own numbers.
TEST(CtstExpose, PublishesAndReplacesThePortsOwnNumber) {
  CtstRig rig;
  rig.load(
      "COMPONENT a { image = \"a\" port = 8000 } COMPONENT b { image = \"b\" ports = [80, 443] }\n"
      "CONNECT a -> b EXPOSE 9000:8000 EXPOSE b 8080:80");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.a.ports"), "[{target: 8000, published: 9000, protocol: tcp}]");
  EXPECT_EQ(rig.at("services.a.expose"), "[8000]");
  EXPECT_EQ(rig.at("services.b.ports"),
            "[{target: 80, published: 8080, protocol: tcp}, {target: 443, published: 443, protocol: tcp}]");
}

// CTST.md, "Secrets": the environment first, then the file; the model has the reference and the place, never the value.
TEST(CtstSecrets, AreReferencesInTheModel) {
  CtstRig rig;
  rig.request.environment = {{"SKIFF_SECRET_DB_PASSWORD", "hunter2"}, {"CONTAINUST_SECRET_KEY", "hunter3"}};
  rig.write("secrets/db.password", "hunter4", 0400);
  rig.write("secrets/file", "hunter5", 0600);
  rig.load(
      "COMPONENT a {\n  image = \"a\"\n"
      "  env = { URL = \"x://u:${secret.db.password}@$${h}\", F = \"${secret.file}\" PLAIN = \"$${secret.db}\" }\n"
      "  command = [\"$\", \"${secret.key}\"]\n}\n");
  EXPECT_EQ(rig.codes(), "secret-in-command");
  EXPECT_EQ(rig.at("services.a.environment"),
            "{URL: x://u:${secret.db.password}@$${h}, F: ${secret.file}, PLAIN: ${secret.db}}");
  EXPECT_EQ(rig.at("services.a.command"), "[$$, ${secret.key}]");
  EXPECT_EQ(rig.at("services.a.x-skiff"), "{secret_references: [environment.URL, environment.F, command]}");
  EXPECT_EQ(rig.at("secrets"),
            "{db.password: {environment: SKIFF_SECRET_DB_PASSWORD}, file: {file: DIR/secrets/file}, key: {environment: "
            "CONTAINUST_SECRET_KEY}}");
  EXPECT_EQ(rig.at("services.a.secrets"),
            "[{source: db.password, target: /run/secrets/db.password}, {source: file, target: /run/secrets/file}, "
            "{source: key, target: /run/secrets/key}]");
  EXPECT_EQ(shown(rig.loaded.model).find("hunter"), std::string::npos);
}

TEST(CtstSecrets, OneThatIsNowhereIsAnError) {
  CtstRig rig;
  rig.write("secrets/open", "hunter2", 0644);
  rig.request.need_secrets = true;
  rig.load("COMPONENT a {\n  image = \"a\"\n  env = { A = \"${secret.nope}\"\n  B = \"${secret.open}\" }\n}\n");
  EXPECT_EQ(
      rig.told(),
      "DIR/main.ctst:3:16: secret nope: there is neither $SKIFF_SECRET_NOPE nor the file DIR/secrets/nope; set the "
      "one, or write the other with mode 0400\n"
      "    env = { A = \"${secret.nope}\"\n"
      "                 ^\n"
      "DIR/main.ctst:4:8: secret open: DIR/secrets/open has mode 0644; chmod it to 0400 or 0600\n"
      "    B = \"${secret.open}\" }\n"
      "         ^\n");
}

TEST(CtstSecrets, WhoMakesNoContainerDoesWithoutTheirValues) {
  CtstRig rig;
  rig.load("COMPONENT a {\n  image = \"a\"\n  env = { A = \"${secret.nope}\" }\n}\n");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("secrets"), "{nope: {environment: SKIFF_SECRET_NOPE}}");
}

}  // namespace
}  // namespace skiff::compose
