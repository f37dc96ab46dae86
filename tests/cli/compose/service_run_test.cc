// `run SERVICE` and `exec SERVICE`, as docker compose has them.
#include <filesystem>

#include "tests/cli/compose/project_program.h"

namespace skiff::rig {
namespace {

class ServiceRun : public ProjectProgram {
 protected:
  // Of /proc/self/status, in hexadecimal digits.
  static std::string capabilities() { return "busybox grep CapEff /proc/self/status | busybox cut -f2"; }
  // The command behind `prefix`, which says what it reads, or has a terminal of its own.
  static Outcome project_by_shell(EngineRig &rig, const std::string &file, const std::string &prefix,
                                  const std::vector<std::string> &words) {
    std::vector<std::string> all = {"/bin/sh",
                                    "-c",
                                    prefix,
                                    "sh",
                                    SKIFF_COMPOSE_PROGRAM,
                                    "--state",
                                    rig.state(),
                                    "--store",
                                    rig.path("store"),
                                    "--progress",
                                    "quiet",
                                    "-f",
                                    file,
                                    "-p",
                                    "p"};
    all.insert(all.end(), words.begin(), words.end());
    return run_program(all);
  }
};

TEST_F(ServiceRun, TakesWhatTheCommandLineSaysOverWhatTheServiceSays) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig,
                                         "  db: {<<: *s, network_mode: none, command: [sleep, '1000']}\n"
                                         "  web: {<<: *s, network_mode: none, depends_on: [db], volumes: ['one:/data'],"
                                         " environment: {A: '1'}, working_dir: /bin, labels: {tier: front}}\n",
                                         "volumes: {one: {}}\n");
  write_file(rig.out() + "/file", "of the host\n");
  const Outcome run =
      project(rig, file,
              {"run", "--rm", "--no-deps", "-T", "-e", "A=2", "-v", rig.out() + ":/data", "-w", "/data", "--entrypoint",
               "/bin/busybox", "web", "sh", "-c", "busybox pwd; busybox cat file; busybox echo $A"});
  EXPECT_EQ(run.out, "/data\nof the host\n2\n") << run.err;
  EXPECT_EQ(project(rig, file, {"ps", "--services"}).out, "") << "--no-deps";
  ASSERT_EQ(
      project(rig, file, {"run", "-d", "--name", "one-off", "-l", "tier=back", "-u", "7", "web", "sleep", "1000"}).code,
      0);
  EXPECT_EQ(rig.inspect("one-off")["Config"]["Labels"]["tier"], "back");
  EXPECT_EQ(rig.inspect("one-off")["Config"]["User"], "7");
  EXPECT_EQ(project(rig, file, {"ps", "--services"}).out, "db\n");
  EXPECT_EQ(project(rig, file, {"down", "-v"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(ServiceRun, CapabilitiesAreAddedAndDropped) {
  EngineRig rig;
  make_image(rig);
  const std::string file =
      write_project(rig, "  a: {<<: *s, network_mode: none, cap_drop: [ALL], cap_add: [CHOWN, NET_RAW]}\n");
  const auto with = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"run", "--rm"});
    flags.insert(flags.end(), {"a", "sh", "-c", capabilities()});
    return project(rig, file, flags).out;
  };
  EXPECT_EQ(with({}), "0000000000002001\n");
  EXPECT_EQ(with({"--cap-add", "KILL"}), "0000000000002021\n");
  EXPECT_EQ(with({"--cap-drop", "NET_RAW"}), "0000000000000001\n");
}

TEST_F(ServiceRun, ItsPortsAndAliasesAreTheLastingContainersUnlessTheyAreAskedFor) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(
      rig,
      "  look: {<<: *s, entrypoint: [/bin/busybox, sleep, '1000']}\n"
      "  web: {<<: *s, ports: ['18080:80'], entrypoint: [/bin/busybox, sh, -c, 'busybox mkdir /www; busybox echo hello "
      ">/www/index.html; exec busybox httpd -f -p 80 -h /www']}\n");
  ASSERT_EQ(project(rig, file, {"up", "-d", "look"}).code, 0);
  const auto look_up = [&] { return project(rig, file, {"exec", "-T", "look", "busybox", "nslookup", "web"}).code; };
  const auto ports = [&](const std::string &name) { return rig.inspect(name)["NetworkSettings"]["Ports"]; };
  ASSERT_EQ(project(rig, file, {"run", "-d", "--name", "plain", "web"}).code, 0);
  EXPECT_FALSE(ports("plain").contains("80/tcp"));
  EXPECT_NE(look_up(), 0);
  ASSERT_EQ(project(rig, file, {"run", "-d", "--name", "published", "--service-ports", "--use-aliases", "web"}).code,
            0);
  EXPECT_EQ(ports("published")["80/tcp"][0]["HostPort"], "18080");
  EXPECT_EQ(
      project(rig, file, {"exec", "-T", "look", "busybox", "sh", "-c", "until busybox nslookup web; do :; done"}).code,
      0);
  const Outcome fetched = run_program(
      {"/bin/busybox", "sh", "-c", "until busybox wget -qO- http://127.0.0.1:18080/index.html; do :; done"});
  EXPECT_EQ(fetched.out, "hello\n");
  EXPECT_EQ(rig.compose({"--no-project", "rm", "-f", "published"}).code, 0);
  ASSERT_EQ(project(rig, file, {"run", "-d", "--name", "short", "-P", "-p", "18081:81", "web"}).code, 0);
  EXPECT_EQ(ports("short")["80/tcp"][0]["HostPort"], "18080");
  EXPECT_EQ(ports("short")["81/tcp"][0]["HostPort"], "18081");
  EXPECT_EQ(project(rig, file, {"down"}).code, 0);
  expect_nothing_left(rig);
}

TEST_F(ServiceRun, BuildMakesTheImageAnewAndQuietPullSaysNothingOfIt) {
  EngineRig rig;
  make_image(rig);
  std::filesystem::create_directory(rig.path("context"));
  const std::string file = write_project(rig,
                                         "  a: {network_mode: none, build: {context: ./context, dockerfile_inline: "
                                         "\"FROM example/busybox\\nCOPY note /note\"}}\n");
  const auto note = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"run", "--rm"});
    flags.insert(flags.end(), {"a", "cat", "/note"});
    return project(rig, file, flags);
  };
  write_file(rig.path("context/note"), "first\n");
  const Outcome first = note({});
  EXPECT_EQ(first.out, "first\n") << first.err;
  EXPECT_NE(first.err.find("Image p-a"), std::string::npos) << first.err;
  write_file(rig.path("context/note"), "second\n");
  EXPECT_EQ(note({}).out, "first\n");
  const Outcome second = note({"--build", "--quiet-pull"});
  EXPECT_EQ(second.out, "second\n");
  EXPECT_EQ(second.err, "");
}

TEST_F(ServiceRun, OrphansGoWhereItIsSaid) {
  EngineRig rig;
  make_image(rig);
  const std::string a = "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n";
  const std::string file = write_project(rig, a + "  b: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  ASSERT_EQ(project(rig, file, {"up", "-d"}).code, 0);
  write_project(rig, a);
  EXPECT_EQ(project(rig, file, {"run", "--rm", "a", "true"}).code, 0);
  EXPECT_EQ(rig.inspect("p-b-1")["State"]["Status"], "running");
  EXPECT_EQ(project(rig, file, {"run", "--rm", "--remove-orphans", "a", "true"}).code, 0);
  EXPECT_EQ(rig.compose({"inspect", "p-b-1"}).code, 4);
  EXPECT_EQ(rig.inspect("p-a-1")["State"]["Status"], "running");
}

TEST_F(ServiceRun, FlagsThatHaveNoEffectAreRefused) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none}\n");
  const Outcome memory = project(rig, file, {"run", "-m", "64m", "a", "true"});
  EXPECT_EQ(memory.code, 2);
  EXPECT_NE(memory.err.find("a is a service, and --memory is for images"), std::string::npos) << memory.err;
  const Outcome image = project(rig, file, {"run", "--no-deps", "example/busybox", "true"});
  EXPECT_EQ(image.code, 2);
  EXPECT_NE(image.err.find("example/busybox is no service"), std::string::npos) << image.err;
}

TEST_F(ServiceRun, ATerminalIsGivenWhereWeHaveOneAndTakenByT) {
  if (!std::filesystem::exists("/usr/bin/script")) GTEST_SKIP() << "needs script(1)";
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig, "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n");
  ASSERT_EQ(project(rig, file, {"up", "-d"}).code, 0);
  // script(1) takes one line for a shell.
  const std::string on_terminal = R"(c=; for w; do c="$c '$w'"; done; exec script -qec "$c" /dev/null)";
  // Of the container's own: ours has no name there.
  const std::string ask = "busybox tty && busybox echo terminal || busybox echo none";
  for (const char *verb : {"run", "exec"}) {
    const auto words = [&](std::vector<std::string> all) {
      all.insert(all.begin(), verb);
      all.insert(all.end(), {"a", "/bin/busybox", "sh", "-c", ask});
      // The entrypoint is busybox already.
      if (all.front() == "run") std::erase(all, "/bin/busybox");
      return all;
    };
    const Outcome with = project_by_shell(rig, file, on_terminal, words({}));
    EXPECT_NE(with.out.find("terminal"), std::string::npos) << verb << with.out << with.err;
    const Outcome without = project_by_shell(rig, file, on_terminal, words({"--no-tty"}));
    EXPECT_NE(without.out.find("none"), std::string::npos) << verb << without.out << without.err;
  }
}

TEST_F(ServiceRun, ExecIsInTheContainerThatIsAskedForAndReadsOurInput) {
  EngineRig rig;
  make_image(rig);
  const std::string file =
      write_project(rig, "  a: {<<: *s, network_mode: none, command: [sleep, '1000'], volumes: ['" + rig.out() +
                             ":/out'], cap_drop: [ALL]}\n");
  ASSERT_EQ(project(rig, file, {"up", "-d", "--scale", "a=2"}).code, 0);
  EXPECT_EQ(project_by_shell(rig, file, "echo typed | exec \"$@\"", {"exec", "a", "busybox", "cat"}).out, "typed\n");
  EXPECT_EQ(
      project_by_shell(rig, file, "echo typed | exec \"$@\"", {"exec", "--interactive=false", "a", "busybox", "cat"})
          .out,
      "");
  EXPECT_EQ(project(rig, file, {"exec", "--index", "2", "a", "busybox", "hostname"}).out,
            id_of(rig, "p-a-2").substr(0, 12) + "\n");
  EXPECT_EQ(project(rig, file, {"exec", "--index", "3", "a", "busybox", "true"}).code, 4);
  EXPECT_EQ(
      project(rig, file, {"exec", "-e", "A=b", "-w", "/out", "a", "busybox", "sh", "-c", "busybox echo $A $PWD"}).out,
      "b /out\n");
  EXPECT_EQ(project(rig, file, {"exec", "-u", "7", "a", "busybox", "id", "-u"}).out, "7\n");
  EXPECT_EQ(project(rig, file, {"exec", "a", "busybox", "sh", "-c", capabilities()}).out, "0000000000000000\n");
  EXPECT_NE(project(rig, file, {"exec", "--privileged", "a", "busybox", "sh", "-c", capabilities()}).out,
            "0000000000000000\n");
  EXPECT_EQ(project(rig, file, {"exec", "-d", "a", "busybox", "sh", "-c", "busybox echo >/out/detached"}).code, 0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/detached"));
}

}  // namespace
}  // namespace skiff::rig
