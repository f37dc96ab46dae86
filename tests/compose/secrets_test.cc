#include "compose/secrets.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "runtime/kernel/fd.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

std::string write_secret(const std::string &path, const std::string &text, mode_t mode) {
  const kernel::Fd file = *kernel::open(path, O_WRONLY | O_CREAT, 0600);
  EXPECT_TRUE(kernel::write_all(file, text));
  EXPECT_EQ(::fchmod(file.get(), mode), 0);
  return path;
}

// CTST.md, "Secrets": a file with mode 0400 or 0600.
TEST(Secrets, AFileThatOthersMayReadIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = write_secret(directory.path() + "/db", "hunter2\n", 0644);
  const FileSource secret{.key = "db", .name = "db", .file = path, .environment = {}, .content = {}};
  EXPECT_EQ(read_secret({}, secret).error().message(),
            "secret db: " + path +
                ": mode 0644: permission denied; chmod it to 0400 or 0600: a secret is for its owner alone");
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_EQ(*read_secret({}, secret), "hunter2");
}

TEST(Secrets, AVariableIsTheProjectsOwn) {
  ASSERT_EQ(::setenv("SKIFF_TEST_SECRET", "of the process", 1), 0);
  const FileSource secret{.key = "db", .name = "db", .file = {}, .environment = "SKIFF_TEST_SECRET", .content = {}};
  Project project;
  EXPECT_EQ(read_secret(project, secret).error().message(),
            "secret db: $SKIFF_TEST_SECRET is not set: no such file or directory; export it, or write it into .env");
  project.environment["SKIFF_TEST_SECRET"] = "of .env";
  EXPECT_EQ(*read_secret(project, secret), "of .env");
}

TEST(Secrets, ReferencesGetTheirValuesAndTheRestIsLetters) {
  const auto value_of = [](std::string_view name) -> Result<std::string> { return "<" + std::string(name) + ">"; };
  EXPECT_EQ(*replace_secrets("a${secret.x}$b$$${secret.y}$${secret.z}", value_of), "a<x>$b$<y>${secret.z}");
  EXPECT_EQ(*replace_secrets(escape_dollars("${secret.x} $$ ${ $"), value_of), "${secret.x} $$ ${ $");
}

// CTST.md, "Secrets": the state holds the reference, never the value.
TEST(Secrets, OnlyTheNamedPlacesOfAServiceAreFilledIn) {
  const TemporaryDirectory directory;
  Project project;
  project.secrets.push_back({.key = "db",
                             .name = "db",
                             .file = write_secret(directory.path() + "/db", "hunter2", 0600),
                             .environment = {},
                             .content = {}});
  Service service;
  service.name = "web";
  service.environment = {{"URL", "x:${secret.db}@y"}, {"LITERAL", "${secret.db}"}};
  service.command = {{"serve", "${secret.db}"}};
  service.secret_references = {"environment.URL", "command"};
  const Result<Service> filled = with_secrets(service, project);
  ASSERT_TRUE(filled) << filled.error().message();
  EXPECT_EQ(filled->environment[0].second, "x:hunter2@y");
  EXPECT_EQ(filled->environment[1].second, "${secret.db}");
  EXPECT_EQ(filled->command->back(), "hunter2");
  EXPECT_TRUE(filled->secret_references.empty());
}

TEST(Secrets, OneThatIsGoneIsAnErrorThatNamesItsPlace) {
  Service service;
  service.name = "web";
  service.command = {{"${secret.db}"}};
  service.secret_references = {"command"};
  EXPECT_EQ(with_secrets(service, {}).error().message(),
            "services.web.command: secret db: the project has none: no such file or directory");
}

}  // namespace
}  // namespace skiff::compose
