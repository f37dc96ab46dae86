// Whole files, as people write them: CTST.md from end to end.
#include <gtest/gtest.h>

#include <array>

#include "compose/ctst.h"
#include "tests/compose/ctst_rig.h"

namespace skiff::compose {
namespace {

const std::string samples = SKIFF_CTST_SAMPLES;

std::string read_sample(const std::string &name) {
  const kernel::Fd file = *kernel::open(samples + "/" + name, O_RDONLY);
  return *kernel::read_all(file, std::size_t{1} << 20U);
}

CtstRequest request_of(const std::string &name, std::string text) {
  return {.path = samples + "/" + name,
          .text = std::move(text),
          .directory = samples,
          .environment = {{"SKIFF_SECRET_DB_PASSWORD", "hunter2"}, {"SKIFF_SECRET_SESSION_KEY", "hunter2"}},
          .import_paths = {},
          .offline = true,
          .cache_directory = "/nowhere",
          .secrets_directory = "/nowhere",
          .fetch = {}};
}

std::string messages(const Findings &findings) {
  std::string out;
  for (const Finding &one : findings.all()) out += one.message() + "\n";
  return out;
}

std::string part(const Value &model, std::initializer_list<const char *> path) {
  const Value *value = &model;
  for (const char *key : path) value = value == nullptr ? nullptr : value->find(key);
  std::string out = value == nullptr ? "-" : shown(*value);
  for (std::size_t at = out.find(samples); at != std::string::npos; at = out.find(samples)) {
    out.replace(at, samples.size(), "DIR");
  }
  return out;
}

TEST(CtstSamples, TheShopIsAWholeProject) {
  Findings findings;
  const CtstModel shop = load_ctst(request_of("shop.ctst", read_sample("shop.ctst")), findings);
  EXPECT_EQ(messages(findings), "");
  EXPECT_EQ(shop.sources.size(), 3U);
  EXPECT_EQ(
      part(shop.model, {"services", "shop"}),
      "{image: docker.io/library/python:3.12-slim, entrypoint: [python, -m], command: [shop.web], working_dir: "
      "/srv, user: 1000:1000, tmpfs: [/tmp], cpus: 1.5, mem_limit: 256000000, healthcheck: {test: [CMD, python, "
      "-m, shop.probe], interval: 30s, timeout: 2s, start_period: 0s, retries: 3}, hostname: shop, read_only: true, "
      "cap_drop: [ALL], environment: {PYTHONUNBUFFERED: 1, LOG_LEVEL: debug, CACHE_URL: redis://cache:6379/0, "
      "SESSION_KEY: ${secret.session_key}, DB_HOST: db, DB_PORT: 5432, DB_CONNECTION_STRING: postgres://db:5432, "
      "CACHE_HOST: cache, CACHE_PORT: 6379, CACHE_CONNECTION_STRING: redis://cache:6379}, ports: [{target: 8000, "
      "published: 9000, protocol: tcp}], expose: [8000], depends_on: {db: {condition: service_healthy, required: "
      "true}, cache: {condition: service_healthy, required: true}}, secrets: [{source: session_key, target: "
      "/run/secrets/session_key}], x-skiff: {secret_references: [environment.SESSION_KEY]}}");
  EXPECT_EQ(
      part(shop.model, {"services", "db"}),
      "{image: docker.io/library/postgres:16, restart: always, stop_grace_period: 30s, pids_limit: 256, mem_limit: "
      "536870912, user: postgres, tmpfs: [/run/postgresql, /tmp], healthcheck: {test: [CMD, pg_isready, -q], "
      "interval: 5s, timeout: 5s, start_period: 1m30s, retries: 10}, volumes: [{type: bind, source: DIR/data/db, "
      "target: /var/lib/postgresql/data, bind: {create_host_path: true}}], hostname: db, read_only: true, cap_drop: "
      "[ALL], environment: "
      "{POSTGRES_DB: shop, POSTGRES_PASSWORD: ${secret.db.password}, PGDATA: /var/lib/postgresql/data}, expose: "
      "[5432], secrets: [{source: db.password, target: /run/secrets/db.password}], x-skiff: {secret_references: "
      "[environment.POSTGRES_PASSWORD]}}");
}

TEST(CtstSamples, TheAirGapNeedsNoRegistry) {
  Findings findings;
  const CtstModel model = load_ctst(request_of("airgap.ctst", read_sample("airgap.ctst")), findings);
  ASSERT_EQ(findings.all().size(), 1U) << messages(findings);
  EXPECT_EQ(findings.all().front().text, "nothing reaches sealed: no CONNECT, no EXPOSE, no reference names it");
  EXPECT_EQ(part(model.model, {"services", "tool", "command"}), "[serve, --message, caf\xC3\xA9: \"${x}\"\n\ttab \\]");
  EXPECT_EQ(part(model.model, {"services", "tool", "x-skiff"}), "{rootfs: DIR/roots/tool}");
  EXPECT_EQ(
      part(model.model, {"services", "site"}),
      "{image: tar://DIR/images/site.tar.zst@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,"
      " hostname: site, read_only: true, cap_drop: [ALL], environment: {TOOL_HOST: tool, TOOL_PORT: 50051, "
      "TOOL_CONNECTION_STRING: grpc://tool:50051}, ports: [{target: 8080, published: 8080, protocol: tcp}], expose: "
      "[8080], networks: {stick: null}, depends_on: {tool: {condition: service_started, required: true}}, x-skiff: "
      "{seccomp: strict}}");
  EXPECT_EQ(
      part(model.model, {"services", "sealed"}),
      "{image: sealed:1, pull_policy: never, hostname: sealed-box, devices: [/dev/null:/dev/nothing:r], stop_signal: "
      "SIGINT, read_only: true, cap_drop: [ALL], network_mode: none}");
}

// Reading what is damaged ends in findings, never in a fault. Run by the sanitizers too.
class CtstDamage : public testing::TestWithParam<const char *> {};

TEST_P(CtstDamage, EveryPrefixIsReadOrTold) {
  const std::string text = read_sample(GetParam());
  for (std::size_t length = 0; length < text.size(); ++length) {
    Findings findings;
    const CtstModel model = load_ctst(request_of(GetParam(), text.substr(0, length)), findings);
    for (const Finding &one : findings.all()) ASSERT_FALSE(one.message().empty());
    ASSERT_NE(model.model.find("services"), nullptr);
  }
}

TEST_P(CtstDamage, EveryChangedByteIsReadOrTold) {
  const std::string text = read_sample(GetParam());
  for (std::size_t place = 0; place < text.size(); ++place) {
    for (const char mask : std::array{'\x01', '\x06', '\x20', '\x5f', '\x80'}) {
      std::string damaged = text;
      damaged[place] = static_cast<char>(damaged[place] ^ mask);
      Findings findings;
      const CtstModel model = load_ctst(request_of(GetParam(), std::move(damaged)), findings);
      for (const Finding &one : findings.all()) ASSERT_FALSE(one.message().empty());
      ASSERT_NE(model.model.find("services"), nullptr);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Samples, CtstDamage,
                         testing::Values("shop.ctst", "airgap.ctst", "lib/databases.ctst", "lib/python.ctst"));

}  // namespace
}  // namespace skiff::compose
