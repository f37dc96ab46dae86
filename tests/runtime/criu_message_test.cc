// rpc.proto of CRIU's sources; the bytes are what protoc --encode makes of the same text.
#include "runtime/criu_message.h"

#include <gtest/gtest.h>

#include "runtime/protobuf.h"

namespace skiff {
namespace {

using std::string_literals::operator""s;

// The fields of criu_req.opts, in order.
std::vector<protobuf::Field> fields_of(std::string_view message) {
  std::vector<protobuf::Field> out;
  while (const auto field = protobuf::take_field(message).value()) out.push_back(*field);
  return out;
}

TEST(CriuMessage, AVersionRequestKeepsTheConnection) { EXPECT_EQ(print_criu_version_request(), "\x08\x0a\x20\x01"); }

TEST(CriuMessage, AFeatureRequestNamesWhatIsWanted) {
  EXPECT_EQ(print_criu_feature_request({.mem_track = true}), "\x08\x09\x20\x01\x2a\x02\x08\x01");
}

TEST(CriuMessage, AnAnswerSaysWhetherItWasDone) {
  EXPECT_EQ(print_criu_answer(true), "\x08\x06\x18\x01");
  EXPECT_EQ(print_criu_answer(false), "\x08\x06\x18\x00"s);
}

TEST(CriuMessage, WhatIsNotAskedForIsNotSent) {
  // images_dir_fd 5, log_level 4, notify_scripts, manage_cgroups
  CriuOptions options;
  options.images_dir_fd = 5;
  EXPECT_EQ(print_criu_request(CriuType::dump, options), "\x08\x01\x12\x09\x08\x05\x48\x04\x60\x01\xc0\x01\x01"s);
}

TEST(CriuMessage, EachOptionHasItsField) {
  CriuOptions options;
  options.images_dir_fd = 5;
  options.tcp_close = true;
  options.network_lock = criu_network_lock("nftables");
  options.manage_cgroups_mode = criu_cgroups_mode("ignore");
  options.page_server = CriuPageServer{.address = "::1", .port = 27277};
  options.mounts = {{"/a", "/b"}};
  options.cgroup_roots = {{"", "/c"}};
  options.inherit_fd = {{"pipe:[1]", 0}};
  options.external = {"net[2]:extRootNetNS"};
  const std::string message = print_criu_request(CriuType::restore, options);
  const auto request = fields_of(message);
  ASSERT_EQ(request.size(), 2U);
  EXPECT_EQ(request[0].number, 2U);
  std::vector<std::pair<unsigned, std::string>> texts;
  std::vector<std::pair<unsigned, std::uint64_t>> numbers;
  for (const protobuf::Field &field : fields_of(request[1].bytes)) {
    if (!field.bytes.empty()) {
      texts.emplace_back(field.field, field.bytes);
    } else {
      numbers.emplace_back(field.field, field.number);
    }
  }
  EXPECT_EQ(numbers, (std::vector<std::pair<unsigned, std::uint64_t>>{
                         {1, 5}, {9, 4}, {12, 1}, {52, 1}, {24, 1}, {34, 0}, {64, 2}}));
  EXPECT_EQ(texts, (std::vector<std::pair<unsigned, std::string>>{{11, "\x0a\x03::1\x10\x8d\xd5\x01"},
                                                                  {23, "\x0a\x02/a\x12\x02/b"},
                                                                  {25, "\x0a\0\x12\x02/c"s},
                                                                  {27, "\x0a\x08pipe:[1]\x10\0"s},
                                                                  {37, "net[2]:extRootNetNS"}}));
}

TEST(CriuMessage, ANotificationHasItsScriptAndPid) {
  const CriuResponse response = parse_criu_response("\x08\x06\x10\x01\x2a\x11\x0a\x0cpost-restore\x10\xd2\x09").value();
  EXPECT_EQ(response.type, CriuType::notify);
  EXPECT_TRUE(response.success);
  EXPECT_EQ(response.script, "post-restore");
  EXPECT_EQ(response.pid, 1234);
}

TEST(CriuMessage, ARefusalHasItsErrnoAndWords) {
  const CriuResponse response = parse_criu_response("\x08\x01\x10\x00\x38\x03\x4a\x02no"s).value();
  EXPECT_EQ(response.type, CriuType::dump);
  EXPECT_FALSE(response.success);
  EXPECT_EQ(response.number, 3);
  EXPECT_EQ(response.message, "no");
}

TEST(CriuMessage, AVersionIsCountedAsCriuDoes) {
  const CriuResponse response = parse_criu_response("\x08\x0a\x10\x01\x52\x06\x08\x03\x10\x11\x20\x01").value();
  EXPECT_EQ(response.version, 31701);
  EXPECT_EQ(criu_version_text(31701), "3.17.1");
  EXPECT_EQ(criu_version_text(40200), "4.2");
}

TEST(CriuMessage, FeaturesAreReadBack) {
  const CriuResponse response = parse_criu_response("\x08\x09\x10\x01\x42\x04\x08\x00\x10\x01"s).value();
  EXPECT_FALSE(response.features.mem_track);
  EXPECT_TRUE(response.features.lazy_pages);
}

TEST(CriuMessage, BytesThatAreNoMessageAreAnError) { EXPECT_FALSE(parse_criu_response("\x08").has_value()); }

TEST(CriuMessage, OfALogTheLinesWithErrorsCount) {
  EXPECT_EQ(criu_log_errors("(00.1) Warn  (criu/a.c:1): b\n"
                            "(00.2)   1234: Error (criu/c.c:2): d: No such file\n"
                            "(00.3) pie: 5: e\n"
                            "(00.4) Error (criu/f.c:3): g"),
            "Error (criu/c.c:2): d: No such file; Error (criu/f.c:3): g");
  EXPECT_EQ(criu_log_errors("(00.1) all is well\n"), "");
}

TEST(CriuMessage, OfManyErrorsTheFirstCount) {
  std::string log;
  for (int i = 0; i < 100; ++i) log += "Error (criu/a.c:1): " + std::to_string(i) + "\n";
  const std::string errors = criu_log_errors(log);
  EXPECT_NE(errors.find("): 0"), std::string::npos);
  EXPECT_EQ(errors.find("): 6"), std::string::npos);
}

}  // namespace
}  // namespace skiff
