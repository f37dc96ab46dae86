#include "spec/state.h"

#include <gtest/gtest.h>

namespace skiff::spec {

namespace {

State make_state() {
  State state;
  state.oci_version = "1.3.0";
  state.id = "box";
  state.pid = 42;
  state.status = ContainerStatus::running;
  state.bundle = "/bundle";
  state.rootfs = "/bundle/rootfs";
  state.created = "2025-01-02T03:04:05.000000006Z";
  state.annotations = {{"a", "b"}};
  state.owner = "root";
  return state;
}

// runtime.md, State
TEST(State, PrintsTheKeysInTheOrderCallersKnow) {
  EXPECT_EQ(print_state(make_state(), false),
            R"({"ociVersion":"1.3.0","id":"box","pid":42,"status":"running","bundle":"/bundle",)"
            R"("rootfs":"/bundle/rootfs","created":"2025-01-02T03:04:05.000000006Z","annotations":{"a":"b"},)"
            R"("owner":"root"})");
  EXPECT_TRUE(print_state(make_state(), true).starts_with("{\n  \"ociVersion\": \"1.3.0\",\n  \"id\""));
}

TEST(State, PrintsPidZeroOfAStoppedContainer) {
  State state = make_state();
  state.pid = 0;
  state.status = ContainerStatus::stopped;
  state.annotations.clear();
  EXPECT_NE(print_state(state, false).find(R"("pid":0,"status":"stopped","bundle")"), std::string::npos);
}

// runtime.md, State: what a hook reads on its standard input.
TEST(State, AHookReadsOnlyWhatTheSpecNames) {
  EXPECT_EQ(
      print_hook_state(make_state()),
      R"({"ociVersion":"1.3.0","id":"box","status":"running","pid":42,"bundle":"/bundle","annotations":{"a":"b"}})");
}

TEST(State, AListIsAnArrayOrNull) {
  EXPECT_EQ(print_states({}), "null");
  const std::string one = print_state(make_state(), false);
  EXPECT_EQ(print_states({make_state(), make_state()}), "[" + one + "," + one + "]");
}

// config-linux.md, The Container Process State
TEST(State, ASeccompAgentReadsTheContainerProcessState) {
  EXPECT_EQ(print_container_process_state(make_state(), 77, "m"),
            R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":77,"metadata":"m","state":)" +
                print_hook_state(make_state()) + "}");
}

TEST(State, NamesEveryStatus) {
  EXPECT_EQ(status_name(ContainerStatus::creating), "creating");
  EXPECT_EQ(status_name(ContainerStatus::created), "created");
  EXPECT_EQ(status_name(ContainerStatus::running), "running");
  EXPECT_EQ(status_name(ContainerStatus::paused), "paused");
  EXPECT_EQ(status_name(ContainerStatus::stopped), "stopped");
}

TEST(Record, ComesBackAsItWasWritten) {
  Record record;
  record.oci_version = "1.3.0";
  record.id = "box";
  record.pid = 7;
  record.start_time = 123456789012345;
  record.bundle = "/bundle \"quoted\"";
  record.rootfs = "/bundle/rootfs";
  record.created = "2025-01-02T03:04:05Z";
  record.annotations = {{"a", std::string("nul\0", 4)}};
  record.owner_uid = 1000;
  record.ready = true;
  record.new_pid_namespace = true;
  record.has_late_hooks = true;
  record.cgroup_manager = "systemd";
  record.systemd_scope = "skiff-box.scope";
  record.cgroup_paths = {"/sys/fs/cgroup/a", "/sys/fs/cgroup/b"};
  record.intel_rdt_path = "/sys/fs/resctrl/x";
  const std::string text = print_record(record);
  const Result<Record> back = parse_record(text);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(print_record(*back), text);
  EXPECT_EQ(back->start_time, record.start_time);
  EXPECT_EQ(back->annotations, record.annotations);
  EXPECT_EQ(back->cgroup_paths, record.cgroup_paths);
  EXPECT_EQ(back->owner_uid, 1000U);
  EXPECT_TRUE(back->ready && back->new_pid_namespace && back->has_late_hooks);
}

TEST(Record, ABrokenRecordIsAnErrorThatSaysWhere) {
  EXPECT_NE(parse_record("").error().message().find("empty"), std::string::npos);
  EXPECT_NE(parse_record(R"({"id": 5})").error().message().find("/id: expected a string"), std::string::npos);
  EXPECT_NE(parse_record("{}").error().message().find("/bundle: is required"), std::string::npos);
}

}  // namespace

}  // namespace skiff::spec
