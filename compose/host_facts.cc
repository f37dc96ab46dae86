#include <fmt/format.h>
#include <linux/magic.h>
#include <unistd.h>

#include <array>

#include "compose/lower.h"
#include "compose/split.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/capability.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_file = std::size_t{4} << 20U;

bool exists(const char *path) { return kernel::faccessat(kernel::cwd, path, F_OK).has_value(); }

// Empty where it cannot be read: what a file would grant is then not granted.
std::string text_of(const char *path) {
  const Result<kernel::Fd> file = kernel::open(path, O_RDONLY);
  return file ? kernel::read_all(*file, longest_file).value_or(std::string()) : std::string();
}

std::string user_name(std::uint32_t uid) {
  const std::string passwd = text_of("/etc/passwd");
  for (const std::string_view line : split_at(passwd, '\n')) {
    const std::vector<std::string_view> fields = split_at(line, ':');
    if (fields.size() > 2 && cli::parse_number<std::uint32_t>(fields[2]) == uid) return std::string(fields[0]);
  }
  return {};
}

// subuid(5): "name:100000:65536", or the uid in the name's place.
std::vector<IdRange> read_ranges(const char *path, const std::string &name, std::uint32_t uid) {
  std::vector<IdRange> ranges;
  const std::string text = text_of(path);
  for (const std::string_view line : split_at(text, '\n')) {
    const std::vector<std::string_view> fields = split_at(line, ':');
    if (fields.size() != 3 || (fields[0] != name && fields[0] != fmt::to_string(uid))) continue;
    const auto first = cli::parse_number<std::uint32_t>(fields[1]);
    const auto size = cli::parse_number<std::uint32_t>(fields[2]);
    if (first && size && *size > 0) ranges.push_back({.first = *first, .size = *size});
  }
  return ranges;
}

void read_grants(HostFacts &facts) {
  // Without these an ordinary user maps nobody but himself (user_namespaces(7)).
  if (facts.rootless() && (kernel::find_on_path("newuidmap").empty() || kernel::find_on_path("newgidmap").empty())) {
    return;
  }
  const std::string name = facts.rootless() ? user_name(facts.uid) : "containers";
  facts.uid_ranges = read_ranges("/etc/subuid", name, facts.uid);
  facts.gid_ranges = read_ranges("/etc/subgid", name, facts.uid);
}

}  // namespace

Result<HostFacts> read_host_facts() {
  HostFacts facts;
  facts.uid = ::geteuid();
  facts.gid = ::getegid();
  struct statfs file_system{};
  facts.cgroup_v2 =
      ::statfs("/sys/fs/cgroup", &file_system) == 0 && file_system.f_type == static_cast<long>(CGROUP2_SUPER_MAGIC);
  facts.swap_accounting =
      facts.cgroup_v2 ? exists("/proc/swaps") : exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
  std::array<char, 65> name{};  // HOST_NAME_MAX and a NUL
  if (::gethostname(name.data(), name.size() - 1) == 0) facts.hostname = name.data();
  // In a user namespace of its own a container has all that the kernel knows.
  if (!facts.rootless()) facts.capabilities = kernel::get_bounding_set();
  read_grants(facts);
  return facts;
}

}  // namespace skiff::compose
