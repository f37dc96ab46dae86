// post_start and pre_stop: what runs in a container once it has started, and before it is stopped.
#include "tests/cli/compose/project_program.h"

namespace skiff::rig {
namespace {

class HookProgram : public ProjectProgram {
 protected:
  // A service whose hooks write to the host's /out.
  static std::string with_hooks(EngineRig &rig, const std::string &hooks) {
    return write_project(
        rig, "  a:\n    <<: *s\n    network_mode: none\n    command: [sleep, '1000']\n    volumes: ['" + rig.out() +
                 ":/out']\n" + hooks);
  }
};

TEST_F(HookProgram, RunInTheContainerInTheirOrder) {
  EngineRig rig;
  make_image(rig);
  const std::string file = with_hooks(
      rig,
      "    post_start:\n"
      "      - {command: [/bin/busybox, sh, -c, 'busybox echo first >>/out/log']}\n"
      "      - {command: [/bin/busybox, sh, -c, 'busybox echo $$(busybox id -u) $$PWD $$A >>/out/log'], user: '7',"
      " working_dir: /out, environment: {A: b}}\n"
      "    pre_stop:\n"
      "      - {command: [/bin/busybox, sh, -c, 'busybox echo last >>/out/log']}\n");
  ASSERT_EQ(
      ::system(("chmod 0777 " + rig.out() + "; touch " + rig.out() + "/log; chmod 0666 " + rig.out() + "/log").c_str()),
      0);
  const Outcome up = project(rig, file, {"up", "-d"});
  ASSERT_EQ(up.code, 0) << up.err;
  EXPECT_EQ(read_file(rig.out() + "/log"), "first\n7 /out b\n");
  EXPECT_EQ(project(rig, file, {"stop"}).code, 0);
  EXPECT_EQ(read_file(rig.out() + "/log"), "first\n7 /out b\nlast\n");
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  EXPECT_EQ(read_file(rig.out() + "/log"), "first\n7 /out b\nlast\n") << "it did not run any more";
  expect_nothing_left(rig);
}

TEST_F(HookProgram, OneThatFailsIsTheServicesFailure) {
  EngineRig rig;
  make_image(rig);
  const std::string file =
      with_hooks(rig, "    post_start: [{command: [/bin/busybox, sh, -c, 'busybox echo no reason >&2; exit 3']}]\n");
  const Outcome up = project(rig, file, {"up", "-d"});
  EXPECT_EQ(up.code, 1);
  EXPECT_NE(up.err.find("service a: post_start[0]: exit code 3: no reason"), std::string::npos) << up.err;
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(HookProgram, OneThatFailsBeforeTheStopKeepsNobodyFromBeingStopped) {
  EngineRig rig;
  make_image(rig);
  const std::string file = with_hooks(rig, "    pre_stop: [{command: [/bin/busybox, 'false']}]\n");
  ASSERT_EQ(project(rig, file, {"up", "-d"}).code, 0);
  const Outcome down = project(rig, file, {"down"});
  EXPECT_EQ(down.code, 1);
  EXPECT_NE(down.err.find("pre_stop[0]: exit code 1"), std::string::npos) << down.err;
  EXPECT_EQ(rig.compose({"ps", "-aq"}).out, "");
}

}  // namespace
}  // namespace skiff::rig
