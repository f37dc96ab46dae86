#include "compose/name_files.h"

#include <gtest/gtest.h>

#include "compose/state.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

NameFiles names_on_a_network() {
  NameFiles names;
  names.hostname = "web";
  names.endpoints = {{.network = "net",
                      .interface_name = "eth0",
                      .addresses = {"10.201.0.2/24"},
                      .gateways = {"10.201.0.1"},
                      .name_servers = {"10.201.0.1"}}};
  return names;
}

TEST(NameFiles, TellTheContainerItsNameItsAddressAndItsNetworksNames) {
  const TemporaryDirectory folder;
  NameFiles names = names_on_a_network();
  names.domain_name = "example.org";
  names.extra_hosts = {{"host.docker.internal", "host-gateway"}, {"far", "192.0.2.7"}};
  names.dns_search = {"example.org"};
  ASSERT_TRUE(write_name_files(folder.path(), names));
  EXPECT_EQ(*read_if_there(folder.path() + "/hostname"), "web\n");
  const std::string hosts = *read_if_there(folder.path() + "/hosts");
  EXPECT_TRUE(hosts.starts_with("127.0.0.1\tlocalhost\n")) << hosts;
  EXPECT_TRUE(hosts.contains("10.201.0.1\thost.docker.internal\n192.0.2.7\tfar\n")) << hosts;
  EXPECT_TRUE(hosts.ends_with("10.201.0.2\tweb.example.org web\n")) << hosts;
  EXPECT_TRUE(
      read_if_there(folder.path() + "/resolv.conf")->starts_with("search example.org\nnameserver 10.201.0.1\n"));
}

TEST(NameFiles, KeepTheirInodeForAContainerThatHasThemMounted) {
  const TemporaryDirectory folder;
  ASSERT_TRUE(write_name_files(folder.path(), names_on_a_network()));
  const auto before = kernel::fstatat(kernel::cwd, folder.path() + "/hosts");
  NameFiles other = names_on_a_network();
  other.endpoints.clear();
  other.dns = {"192.0.2.53"};
  ASSERT_TRUE(write_name_files(folder.path(), other));
  EXPECT_EQ(kernel::fstatat(kernel::cwd, folder.path() + "/hosts")->st_ino, before->st_ino);
  EXPECT_TRUE(read_if_there(folder.path() + "/resolv.conf")->contains("nameserver 192.0.2.53\n"));
  EXPECT_FALSE(read_if_there(folder.path() + "/hosts")->contains("10.201.0.2"));
}

TEST(NameFiles, AnAddressThatIsNoneIsRefused) {
  const TemporaryDirectory folder;
  NameFiles names = names_on_a_network();
  names.extra_hosts = {{"far", "nowhere"}};
  EXPECT_EQ(write_name_files(folder.path(), names).error().message(), "extra_hosts: far: \"nowhere\" is no address");
}

}  // namespace
}  // namespace skiff::compose
