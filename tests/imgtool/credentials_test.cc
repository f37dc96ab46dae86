#include "imgtool/credentials.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "imgtool/auth_file.h"
#include "runtime/kernel/process.h"
#include "tests/runtime/kernel/isolated.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

using kernel::testing::read_whole;
using kernel::testing::write_whole;

// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char *name, const std::string &value) : name_(name) {
    const char *before = ::getenv(name);
    had_ = before != nullptr;
    if (had_) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  Variable(const Variable &) = delete;
  Variable &operator=(const Variable &) = delete;
  ~Variable() { had_ ? ::setenv(name_, before_.c_str(), 1) : ::unsetenv(name_); }

 private:
  const char *name_;
  std::string before_;
  bool had_ = false;
};

class Credentials : public ::testing::Test {
 protected:
  void write(const std::string &text) const { write_whole(file_, text); }
  // A credential program that keeps one login in a file.
  void make_program(const std::string &name, const std::string &script) const {
    const std::string path = directory_.path() + "/docker-credential-" + name;
    write_whole(path, "#!/bin/sh\n" + script);
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  TemporaryDirectory directory_;
  std::string file_ = directory_.path() + "/auth.json";
  Variable no_home_{"HOME", directory_.path() + "/home"};
  Variable no_run_{"XDG_RUNTIME_DIR", directory_.path() + "/run"};
  Variable no_config_{"XDG_CONFIG_HOME", ""};
  Variable no_docker_{"DOCKER_CONFIG", ""};
  Variable no_file_{"REGISTRY_AUTH_FILE", ""};
  Variable path_{"PATH", directory_.path() + ":/usr/bin:/bin"};
};

std::string user_of(const Result<std::optional<Login>> &login) {
  if (!login) return "error: " + login.error().message();
  return *login ? (*login)->user + ":" + (*login)->password : "none";
}

TEST_F(Credentials, TheLongestKeyCounts) {  // containers-auth.json(5)
  write(R"({"auths": {"example.com": {"auth": "YTox"}, "example.com/team": {"auth": "Yjoy"},
            "example.com/team/app": {"auth": "YzozOjM="}}})");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "team/app")), "c:3:3");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "team/other")), "b:2");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "other")), "a:1");
  EXPECT_EQ(user_of(find_login(file_, "example.org", "team/app")), "none");
  EXPECT_EQ(user_of(find_login(directory_.path() + "/missing", "example.com", "x")), "none");
}

TEST_F(Credentials, DockersKeysAreTheSameHosts) {
  write(R"({"auths": {"https://index.docker.io/v1/": {"auth": "YTox"}, "https://example.com/v2/": {"auth": "Yjoy"}}})");
  EXPECT_EQ(user_of(find_login(file_, "docker.io", "library/alpine")), "a:1");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "x")), "b:2");
}

TEST_F(Credentials, AnIdentityTokenTakesThePasswordsPlace) {
  write(R"({"auths": {"example.com": {"auth": "dG9rZW46", "identitytoken": "abc"}}})");
  EXPECT_EQ(find_login(file_, "example.com", "x").value()->identity_token, "abc");
}

TEST_F(Credentials, TheFilesAreAskedInTheirOrder) {
  const std::string home = directory_.path() + "/home";
  ASSERT_EQ(::mkdir(home.c_str(), 0700), 0);
  ASSERT_EQ(::mkdir((home + "/.docker").c_str(), 0700), 0);
  write_whole(home + "/.docker/config.json", R"({"auths": {"example.com": {"auth": "YTox"}}})");
  EXPECT_EQ(user_of(find_login("", "example.com", "x")), "a:1");
  ASSERT_TRUE(save_login("", "example.com", {.user = "b", .password = "2", .identity_token = {}}));
  EXPECT_EQ(user_of(find_login("", "example.com", "x")), "b:2");
  EXPECT_NE(read_whole(directory_.path() + "/run/containers/auth.json"), "");
  write(R"({"auths": {}})");
  const Variable named("REGISTRY_AUTH_FILE", file_);
  EXPECT_EQ(user_of(find_login("", "example.com", "x")), "none");
}

TEST_F(Credentials, ALoginIsKeptForItsOwnerAloneAndTheRestStays) {
  write(
      R"({"auths": {"example.org": {"auth": "Yjoy", "email": "b@example.org"}}, "HttpHeaders": {"X": [1, true, null]}})");
  ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
  EXPECT_EQ(save_login(file_, "example.com/team", {.user = "a", .password = "1", .identity_token = {}}).value(), file_);
  struct stat facts{};
  ASSERT_EQ(::stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(
      read_whole(file_),
      "{\n\t\"auths\": {\n\t\t\"example.org\": {\n\t\t\t\"auth\": \"Yjoy\",\n\t\t\t\"email\": \"b@example.org\"\n\t\t},"
      "\n\t\t\"example.com/team\": {\n\t\t\t\"auth\": \"YTox\"\n\t\t}\n\t},\n\t\"HttpHeaders\": {\n\t\t\"X\": "
      "[\n\t\t\t1,"
      "\n\t\t\ttrue,\n\t\t\tnull\n\t\t]\n\t}\n}\n");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "team/app")), "a:1");
  EXPECT_TRUE(remove_login(file_, "example.com/team").value());
  EXPECT_FALSE(remove_login(file_, "example.com/team").value());
  EXPECT_EQ(user_of(find_login(file_, "example.com", "team/app")), "none");
  EXPECT_EQ(user_of(find_login(file_, "example.org", "x")), "b:2");
}

TEST_F(Credentials, AFileThatIsNoneIsAnErrorThatNamesIt) {
  write("{");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "x")).find("error: " + file_), 0U);
  EXPECT_FALSE(save_login(file_, "example.com", {.user = "a", .password = "1", .identity_token = {}}));
  EXPECT_EQ(read_whole(file_), "{");
  write(R"({"auths": {"example.com": {"auth": "%%%"}}})");
  EXPECT_NE(user_of(find_login(file_, "example.com", "x")).find("/auths/example.com/auth: not base64"),
            std::string::npos);
}

TEST_F(Credentials, AProgramKeepsThemWhereTheFileNamesOne) {  // docker-credential-helpers
  make_program("test", fmt::format(R"(
case $1 in
  store) cat > {0}/kept ;;
  get) read -r server; [ -e {0}/kept ] || {{ echo "credentials not found in native keychain"; exit 1; }}
       [ "$server" = example.com ] || exit 7; cat {0}/kept ;;
  erase) rm {0}/kept ;;
esac
)",
                                   directory_.path()));
  write(R"({"credHelpers": {"example.com": "test"}})");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "x")), "none");
  EXPECT_EQ(save_login(file_, "example.com", {.user = "a", .password = "s\"1", .identity_token = {}}).value(),
            "docker-credential-test");
  EXPECT_EQ(user_of(find_login(file_, "example.com", "x")), "a:s\"1");
  EXPECT_EQ(read_whole(file_).find("s\\\"1"), std::string::npos);
  EXPECT_TRUE(remove_login(file_, "example.com").value());
  EXPECT_EQ(user_of(find_login(file_, "example.com", "x")), "none");
}

TEST_F(Credentials, AProgramThatFailsOrIsMissingIsAnError) {
  // As main does: the program ends without having read what it is asked.
  ASSERT_TRUE(kernel::ignore_signal(SIGPIPE));
  make_program("broken", "echo 'the keychain is locked'; exit 2\n");
  write(R"({"credsStore": "broken"})");
  EXPECT_NE(user_of(find_login(file_, "example.com", "x")).find("exit code 2: \"the keychain is locked\""),
            std::string::npos);
  write(R"({"credsStore": "missing-one"})");
  EXPECT_NE(user_of(find_login(file_, "example.com", "x")).find("docker-credential-missing-one"), std::string::npos);
  write(R"({"credsStore": "../evil"})");
  EXPECT_NE(user_of(find_login(file_, "example.com", "x")).find("not a name"), std::string::npos);
}

}  // namespace
}  // namespace skiff::image
