#include "imgtool/runtime_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "imgtool/volumes.h"
#include "runtime/kernel/path.h"
#include "tests/runtime/kernel/isolated.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

using kernel::testing::write_whole;
using Texts = std::vector<std::string>;

class RuntimeConfigTest : public ::testing::Test {
 protected:
  RuntimeConfigTest() {
    make_directory("/etc");
    write_whole(directory_.path() + "/etc/passwd", "root:x:0:0::/root:\nweb:x:33:34::/var/www:\n");
    write_whole(directory_.path() + "/etc/group", "www:x:34:\nlogs:x:40:web\n");
  }

  void make_directory(const std::string &path, mode_t mode = 0755) const {
    ::mkdir((directory_.path() + path).c_str(), 0700);
    ::chmod((directory_.path() + path).c_str(), mode);
  }
  [[nodiscard]] Result<RuntimeConfig> make() const {
    return make_runtime_config(image_, *kernel::open(directory_.path(), O_PATH | O_DIRECTORY), options_);
  }
  // The document is read again and checked by the rules of the runtime-spec.
  [[nodiscard]] RuntimeConfig made() const {
    const auto config = make();
    if (!config) {
      ADD_FAILURE() << config.error().message();
      return {};
    }
    for (const spec::Finding &finding : spec::check(spec::parse_config(spec::print_config(config->config, true)))) {
      ADD_FAILURE() << finding.message();
    }
    return *config;
  }
  [[nodiscard]] spec::Process process() const { return *made().config.process; }
  [[nodiscard]] std::optional<spec::Mount> mount_at(const std::string &destination) const {
    const auto mounts = made().config.mounts;
    const auto found = std::ranges::find(mounts, destination, &spec::Mount::destination);
    return found == mounts.end() ? std::nullopt : std::optional(*found);
  }

  TemporaryDirectory directory_;
  spec::ImageConfig image_;
  RuntimeOptions options_;
};

// conversion.md, "Verbatim Fields", 2
TEST_F(RuntimeConfigTest, CmdFollowsEntrypoint) {
  image_.config.entrypoint = {"/entry", "-x"};
  image_.config.cmd = {"serve"};
  EXPECT_EQ(process().args, (Texts{"/entry", "-x", "serve"}));
  options_.args = {"other"};
  EXPECT_EQ(process().args, (Texts{"/entry", "-x", "other"}));
  options_.entrypoint = {"/bin/sh"};
  options_.args.clear();
  EXPECT_EQ(process().args, (Texts{"/bin/sh"}));
}

TEST_F(RuntimeConfigTest, WithoutAnythingToRunItIsAShellAndSaysSo) {
  EXPECT_EQ(process().args, (Texts{"sh"}));
  EXPECT_EQ(made().warnings.size(), 1U);
}

// conversion.md, "Verbatim Fields", 1
TEST_F(RuntimeConfigTest, TheEnvironmentIsTheImagesAndNothingOfItIsChanged) {
  EXPECT_EQ(process().env, (Texts{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}));
  image_.config.env = {"HOME=/mine", "PATH=/bin", "A=1=2", "EMPTY=", "novalue", "=x"};
  EXPECT_EQ(process().env, (Texts{"HOME=/mine", "PATH=/bin", "A=1=2", "EMPTY="}));
  EXPECT_EQ(made().warnings.size(), 3U);
  options_.env = {"A=3", "B=4"};
  EXPECT_EQ(process().env, (Texts{"HOME=/mine", "PATH=/bin", "EMPTY=", "A=3", "B=4"}));
}

TEST_F(RuntimeConfigTest, TheWorkingDirectoryIsAbsolute) {
  EXPECT_EQ(process().cwd, "/");
  image_.config.working_dir = "srv/app";
  EXPECT_EQ(process().cwd, "/srv/app");
  options_.working_dir = "/tmp";
  EXPECT_EQ(process().cwd, "/tmp");
}

TEST_F(RuntimeConfigTest, TheUserIsOfTheImagesFiles) {
  image_.config.user = "web";
  EXPECT_EQ(process().user.uid, 33U);
  EXPECT_EQ(process().user.gid, 34U);
  EXPECT_EQ(process().user.additional_gids, (std::vector<std::uint32_t>{34, 40}));
  options_.user = "1000:1000";
  EXPECT_EQ(process().user.uid, 1000U);
  image_.config.user = "2147483648:0";
  options_.user.clear();
  EXPECT_FALSE(make());
}

// conversion.md, "Annotation Fields"
TEST_F(RuntimeConfigTest, LabelsGoBeforeWhatIsImplied) {
  image_.os = "linux";
  image_.architecture = "arm64";
  image_.variant = "v8";
  image_.os_features = {"a", "b"};
  image_.author = "me";
  image_.created = "2024-01-01T00:00:00Z";
  image_.config.stop_signal = "SIGQUIT";
  image_.config.exposed_ports = {{"80/tcp", {}}, {"53/udp", {}}};
  image_.config.labels = {{"org.opencontainers.image.author", "you"}, {"x", "y"}};
  const spec::StringMap expected = {{"org.opencontainers.image.os", "linux"},
                                    {"org.opencontainers.image.architecture", "arm64"},
                                    {"org.opencontainers.image.variant", "v8"},
                                    {"org.opencontainers.image.os.features", "a,b"},
                                    {"org.opencontainers.image.author", "you"},
                                    {"org.opencontainers.image.created", "2024-01-01T00:00:00Z"},
                                    {"org.opencontainers.image.stopSignal", "SIGQUIT"},
                                    {"org.opencontainers.image.exposedPorts", "53/udp,80/tcp"},
                                    {"x", "y"}};
  EXPECT_EQ(made().config.annotations, expected);
}

// CVE-2022-23648, CVE-2026-53488
TEST_F(RuntimeConfigTest, NoLabelSteersARuntime) {
  image_.config.labels = {{"org.systemd.property.ExecStart", "'/x'"},
                          {"run.oci.handler", "krun"},
                          {"org.criu.config", "/x"},
                          {"io.katacontainers.config.hypervisor.path", "/x"},
                          {"io.kubernetes.cri.container-type", "x"},
                          {"org.opencontainers.image.title", "fine"}};
  const RuntimeConfig config = made();
  EXPECT_EQ(config.config.annotations, (spec::StringMap{{"org.opencontainers.image.title", "fine"}}));
  EXPECT_EQ(
      std::ranges::count_if(config.warnings, [](const std::string &warning) { return warning.starts_with("label "); }),
      5);
}

// CVE-2022-23648: "/../../etc" is a directory of the container.
TEST_F(RuntimeConfigTest, VolumesStayBelowTheRoot) {
  image_.config.volumes = {{"/../../srv", {}}, {"data/", {}}, {"/proc/x", {}}, {"/..", {}}, {"/sys", {}}, {"/srv", {}}};
  const RuntimeConfig config = made();
  EXPECT_TRUE(mount_at("/srv"));
  EXPECT_TRUE(mount_at("/data"));
  EXPECT_EQ(config.config.mounts.size(), spec::make_default_config().mounts.size() + 2);
  EXPECT_EQ(
      std::ranges::count_if(config.warnings, [](const std::string &warning) { return warning.starts_with("volume "); }),
      3);
}

TEST_F(RuntimeConfigTest, AVolumeHasTheOwnerAndModeOfTheImagesDirectory) {
  make_directory("/data", 01770);
  if (::chown((directory_.path() + "/data").c_str(), 33, 34) != 0) GTEST_SKIP() << "needs root to give files away";
  image_.config.volumes = {{"/data", {}}};
  EXPECT_EQ(mount_at("/data")->type, "tmpfs");
  EXPECT_EQ(mount_at("/data")->options, (Texts{"nosuid", "nodev", "mode=1770", "uid=33", "gid=34"}));
}

TEST_F(RuntimeConfigTest, BoundVolumesAreDirectoriesOfTheBundle) {
  make_directory("/data", 0750);
  image_.config.volumes = {{"/../data", {}}};
  options_.volumes = VolumeStyle::bind;
  const RuntimeConfig config = made();
  ASSERT_EQ(config.volumes.size(), 1U);
  EXPECT_EQ(mount_at("/data")->source, config.volumes[0].source);
  EXPECT_TRUE(config.volumes[0].source.starts_with("volumes/"));
  const auto bundle = kernel::open(directory_.path(), O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(make_volumes(*bundle, config.volumes));
  ASSERT_TRUE(make_volumes(*bundle, config.volumes));
  const auto status = kernel::fstatat(*bundle, config.volumes[0].source);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->st_mode & 07777U, 0750U);
  options_.volumes = VolumeStyle::none;
  EXPECT_FALSE(mount_at("/data"));
}

TEST_F(RuntimeConfigTest, AUserWithoutPrivilegesGetsANamespaceThatMapsHim) {
  options_.rootless = true;
  image_.config.user = "web";
  const RuntimeConfig config = made();
  EXPECT_NE(config.config.linux_.find(spec::NamespaceType::user), nullptr);
  EXPECT_EQ(config.config.process->user.uid, 0U);
  EXPECT_TRUE(config.config.process->user.additional_gids.empty());
  EXPECT_TRUE(std::ranges::any_of(config.warnings, [](const auto &text) { return text.starts_with("user 33:34"); }));
}

TEST_F(RuntimeConfigTest, MappingsMakeAUserNamespace) {
  options_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 65536}};
  options_.gid_mappings = options_.uid_mappings;
  image_.config.user = "web";
  const RuntimeConfig config = made();
  EXPECT_NE(config.config.linux_.find(spec::NamespaceType::user), nullptr);
  EXPECT_EQ(config.config.process->user.uid, 33U);
  EXPECT_EQ(config.config.linux_.uid_mappings.at(0).host_id, 100000U);
}

TEST_F(RuntimeConfigTest, WhatStartsFromIsSafe) {
  EXPECT_TRUE(process().no_new_privileges);
  EXPECT_FALSE(process().terminal);
  EXPECT_FALSE(made().config.linux_.masked_paths.empty());
  EXPECT_EQ(std::ranges::count(process().capabilities->bounding, "CAP_SYS_ADMIN"), 0);
  EXPECT_NE(made().config.linux_.find(spec::NamespaceType::network), nullptr);
  options_.host_network = true;
  EXPECT_EQ(made().config.linux_.find(spec::NamespaceType::network), nullptr);
}

}  // namespace
}  // namespace skiff::image
