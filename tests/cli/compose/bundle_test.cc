// bundle and unbundle: a project in one archive, and what is started of it without a network.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class ComposeBundle : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    fs::create_directories(rig_.path("project/static"));
    fs::create_directories(rig_.path("project/data"));
    write_file(rig_.path("project/compose.yaml"),
               "name: bundled\n"
               "services:\n"
               "  app:\n"
               "    image: busybox\n"
               "    network_mode: none\n"
               "    env_file: app.env\n"
               "    environment:\n      PRICE: 5$$\n      WORD: ${WORD:-default}\n"
               "    command: sh -c 'cat /run/secrets/key /settings /static/page; echo $$FROM_FILE $$PRICE $$WORD'\n"
               "    configs: [{source: settings, target: /settings}]\n"
               "    secrets: [key]\n"
               "    volumes: ['./static:/static:ro', './data:/data']\n"
               "configs: {settings: {file: ./settings.conf}}\n"
               "secrets: {key: {file: ./key.txt}}\n");
    write_file(rig_.path("project/app.env"), "FROM_FILE=env\n");
    write_file(rig_.path("project/settings.conf"), "the settings\n");
    write_file(rig_.path("project/key.txt"), "key\n");
    write_file(rig_.path("project/static/page"), "page\n");
    fs::permissions(rig_.path("project/key.txt"), fs::perms::owner_read | fs::perms::owner_write);
  }

  Outcome bundle(const std::string &output, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"-f", rig_.path("project/compose.yaml"), "bundle", "-o", rig_.path(output)});
    return rig_.compose(flags);
  }
  // Another machine: a state and a store of its own, and no network but its loopback, which is down.
  Outcome elsewhere(const std::vector<std::string> &words) {
    std::vector<std::string> all = {"/usr/bin/unshare", "-n",      SKIFF_COMPOSE_PROGRAM, "--offline", "--state",
                                    rig_.path("there"), "--store", rig_.path("store2")};
    all.insert(all.end(), words.begin(), words.end());
    return run_program(all);
  }
  // What is in the test's folder: nothing half made may stay there.
  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const auto &entry : fs::directory_iterator(rig_.path(""))) found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }

  ComposeRig rig_;
};

TEST_F(ComposeBundle, StartsWhereThereIsNoNetwork) {
  const Outcome made = bundle("x.tar", {"--with-secrets"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string digest = made.out.substr(0, made.out.find(' '));
  EXPECT_NE(made.err.find("data stays empty"), std::string::npos) << made.err;
  fs::rename(rig_.path("project"), rig_.path("gone"));
  EXPECT_EQ(elsewhere({"unbundle", "--digest", digest, rig_.path("x.tar"), rig_.path("new")}).err, "");
  const Outcome up = elsewhere({"-f", rig_.path("new/compose.yaml"), "up"});
  EXPECT_EQ(up.code, 0) << up.err;
  for (const char *line : {"key", "settings", "page", "env 5$ default"}) {
    EXPECT_NE(up.out.find(line), std::string::npos) << line << " in " << up.out << up.err;
  }
  EXPECT_EQ(elsewhere({"-f", rig_.path("new/compose.yaml"), "down", "-v"}).code, 0);
}

// It refuses mkdir with an errno that no other profile has.
TEST_F(ComposeBundle, AProfileOfSeccompGoesWithIt) {
  write_file(rig_.path("project/own.json"),
             R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"],)"
             R"( "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]})");
  for (const bool ctst : {false, true}) {
    SCOPED_TRACE(ctst ? "ctst" : "yaml");
    const std::string file = rig_.path(ctst ? "project/p.ctst" : "project/p.yaml");
    write_file(file, ctst ? "COMPONENT a { image = \"busybox\" network = \"none\" seccomp = \"own.json\"\n"
                            "command = [\"mkdir\", \"/dev/shm/x\"] }\n"
                          : "services:\n  a: {image: busybox, network_mode: none, security_opt: ['seccomp:own.json', "
                            "'no-new-privileges'], command: [mkdir, /dev/shm/x]}\n");
    const std::string name = ctst ? "one" : "two";
    const Outcome made = rig_.compose({"-f", file, "bundle", "-q", "-o", rig_.path(name + ".tar")});
    ASSERT_EQ(made.code, 0) << made.err;
    fs::rename(rig_.path("project/own.json"), rig_.path("away.json"));
    EXPECT_EQ(elsewhere({"unbundle", rig_.path(name + ".tar"), rig_.path(name)}).code, 0);
    const Outcome up = elsewhere({"-f", rig_.path(name + "/compose.yaml"), "up"});
    EXPECT_NE((up.out + up.err).find("No space left on device"), std::string::npos) << up.out << up.err;
    EXPECT_EQ(elsewhere({"-f", rig_.path(name + "/compose.yaml"), "down"}).code, 0);
    fs::rename(rig_.path("away.json"), rig_.path("project/own.json"));
  }
}

TEST_F(ComposeBundle, IsTheSameBytesEachTime) {
  ASSERT_EQ(bundle("one.tar", {"-q"}).code, 0);
  fs::last_write_time(rig_.path("project/static/page"), fs::file_time_type::clock::now() - std::chrono::hours(48));
  ASSERT_EQ(bundle("two.tar", {"-q"}).code, 0);
  EXPECT_EQ(read_file(rig_.path("one.tar")), read_file(rig_.path("two.tar")));
}

TEST_F(ComposeBundle, SecretsAreMissingUnlessTheyAreAskedFor) {
  const Outcome made = bundle("x.tar");
  EXPECT_NE(made.err.find("secrets/key is not in it"), std::string::npos) << made.err;
  const std::string listed = run_program({"/bin/tar", "tf", rig_.path("x.tar")}).out;
  EXPECT_EQ(listed.find("secrets/key"), std::string::npos);
  EXPECT_NE(listed.find("project/configs/settings\n"), std::string::npos) << listed;
  EXPECT_NE(listed.find("project/static/page\n"), std::string::npos) << listed;
  const Outcome there = elsewhere({"unbundle", rig_.path("x.tar"), rig_.path("new")});
  EXPECT_EQ(there.code, 0);
  EXPECT_NE(there.err.find("new/secrets/key is missing"), std::string::npos) << there.err;
}

TEST_F(ComposeBundle, ADamagedArchiveNamesTheMemberAndLeavesNothing) {
  ASSERT_EQ(bundle("x.tar", {"--with-secrets", "-q"}).code, 0);
  const std::string whole = read_file(rig_.path("x.tar"));
  const std::vector<std::string> before = names();
  const auto refused = [&](const std::string &bytes, const std::string &member) {
    write_file(rig_.path("x.tar"), bytes);
    const Outcome outcome = elsewhere({"unbundle", rig_.path("x.tar"), rig_.path("new")});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.err.find(member), std::string::npos) << member << " in " << outcome.err;
    EXPECT_FALSE(fs::exists(rig_.path("new")));
    EXPECT_EQ(elsewhere({"images", "-q"}).out, "");
  };
  refused(whole.substr(0, whole.size() / 3), "blobs/sha256/");
  refused(whole.substr(0, whole.size() / 1024 * 512), "blobs/sha256/");
  std::string changed = whole;
  changed.replace(changed.find("the settings\n"), 3, "The");
  refused(changed, "project/configs/settings");
  changed = whole;
  changed[changed.find("blobs/sha256/") + 512 * 40] ^= 1;
  refused(changed, "blobs/sha256/");
  changed = whole;
  const std::size_t tag = changed.find("\"image-0\"");
  changed.replace(tag, 9, "\"image-1\"");
  refused(changed, "index.json");
  std::vector<std::string> after = names();
  std::erase_if(after, [](const std::string &name) { return name == "there" || name == "store2"; });
  EXPECT_EQ(after, before);
}

// An archive that its maker meant ill: names that lead out are names below the directory.
TEST_F(ComposeBundle, MembersStayBelowTheDirectory) {
  ASSERT_EQ(bundle("x.tar", {"-q"}).code, 0);
  fs::create_directories(rig_.path("evil"));
  write_file(rig_.path("evil/f"), "evil\n");
  ASSERT_EQ(run_program({"/bin/tar", "-C", rig_.path("evil"), "--transform", "s,^f$,../../../outside,", "-P", "-rf",
                         rig_.path("x.tar"), "f"})
                .code,
            0);
  (void)elsewhere({"unbundle", rig_.path("x.tar"), rig_.path("new")});
  EXPECT_FALSE(fs::exists(rig_.path("outside")));
  EXPECT_FALSE(fs::exists(rig_.path("../outside")));
}

}  // namespace
}  // namespace skiff::rig
