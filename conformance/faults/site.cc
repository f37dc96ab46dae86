#include "conformance/faults/site.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>

#include "conformance/leavings.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

constexpr std::chrono::milliseconds grace{2000};  // of what was killed and is about to end

constexpr std::array<const char *, 11> watched = {
    "memory.limit_in_bytes", "memory.max",   "pids.max",      "cpu.shares",    "cpu.weight", "cpu.cfs_quota_us",
    "cpuset.cpus",           "devices.list", "freezer.state", "cgroup.freeze", "cpu.max"};

// What a usual engine asks for, so that the commands make the calls that they make for engines.
void enrich(Tree &config, const std::string &program, const std::string &host_log) {
  config.set("/linux/maskedPaths", R"(["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi"])"_json);
  config.set("/linux/readonlyPaths", R"(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"])"_json);
  config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["acct", "reboot", "swapon"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]})"_json);
  config.set("/process/noNewPrivileges", true);
  config.set("/hostname", "skiff-conformance");
  if (!find_hierarchy("pids").empty()) config.set("/linux/resources/pids/limit", 64);
  if (!find_hierarchy("memory").empty()) config.set("/linux/resources/memory/limit", 64 << 20);
  const auto add_hook = [&](const std::string &kind, const std::string &path, const std::string &log) {
    Tree hook = R"({"args": ["inside", "log"]})"_json;
    hook.set("/path", path);
    hook.set("/args/-", log);
    hook.set("/args/-", kind);
    config.set(fmt::format("/hooks/{}/-", kind), std::move(hook));
  };
  add_hook("createRuntime", program, host_log);
  add_hook("startContainer", "/inside", "/log");
}

void list_files(const std::string &path, std::vector<std::string> &out) {
  const Result<kernel::Fd> directory = kernel::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) return;
  for (const std::string &name : kernel::list_directory(*directory).value_or(std::vector<std::string>())) {
    const std::string whole = fmt::format("{}/{}", path, name);
    out.push_back(whole);
    const Result<struct stat> found = kernel::fstatat(*directory, name, AT_SYMLINK_NOFOLLOW);
    if (found && S_ISDIR(found->st_mode)) list_files(whole, out);
  }
}

// Below the site, and where runtimes keep what is temporary.
std::vector<std::string> all_files(const Stage &stage) {
  std::vector<std::string> files;
  list_files(stage.path("root"), files);
  list_files(stage.bundle(), files);
  for (const char *directory : {"tmp", "store", "state", "made"}) list_files(stage.path(directory), files);
  // What is half made of "made" lies beside it.
  const Result<kernel::Fd> site = kernel::open(stage.path(""), O_RDONLY | O_DIRECTORY);
  if (site) {
    for (const std::string &name : kernel::list_directory(*site).value_or(std::vector<std::string>())) {
      if (name.starts_with(".made")) files.push_back(stage.path(name));
    }
  }
  list_files("/run", files);
  // Where CRIU keeps what it knows of the kernel.
  std::erase_if(files, [](const std::string &file) { return file.starts_with("/run/criu.kdat"); });
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> all_mounts() {
  std::vector<std::string> mounts;
  const std::string table = read_file("/proc/self/mountinfo").value_or("");
  for (std::string_view rest = table; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    for (int field = 0; field < 4; ++field) line.remove_prefix(line.find(' ') + 1);
    mounts.emplace_back(line.substr(0, line.find(' ')));
  }
  std::ranges::sort(mounts);
  return mounts;
}

// The interfaces of this network namespace, and the firewall's rules and chains.
std::vector<std::string> all_of_network() {
  std::vector<std::string> all;
  const auto add_lines = [&](const char *what, const std::string &text, char mark) {
    for (std::size_t at = 0; at < text.size();) {
      const std::string line = text.substr(at, text.find('\n', at) - at);
      at += line.size() + 1;
      const std::size_t end = line.find(mark);
      // Comments have dates in them, policies counters.
      if (line.starts_with('#') || end == std::string::npos) continue;
      all.push_back(fmt::format("{} {}", what, mark == ':' ? line.substr(0, end) : line.substr(0, line.find('['))));
    }
  };
  add_lines("interface", read_file("/proc/self/net/dev").value_or(""), ':');
  const std::string rules = kernel::find_on_path("iptables-save");
  const Result<Outcome> said = rules.empty() ? Outcome{} : call_to_end({rules}, std::chrono::seconds(10));
  add_lines("rule", said ? said->out : "", ' ');
  std::ranges::sort(all);
  return all;
}

// With room for what nobody reads meanwhile.
Result<kernel::Pipe> open_stream() {
  kernel::Pipe stream = TRY(kernel::pipe2());
  TRY(kernel::set_nonblocking(stream.read, true));
  constexpr int enough = 1 << 20;
  if (::fcntl(stream.read.get(), F_SETPIPE_SZ, enough) < 0) return fail(errno, "fcntl(F_SETPIPE_SZ)");
  return stream;
}

// What a child of ours opens anew.
std::string path_of(const kernel::Pipe &stream) { return fmt::format("/proc/self/fd/{}", stream.write.get()); }

std::string drain(const kernel::Pipe &stream) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (Result<std::size_t> got = kernel::read_some(stream.read, buffer); got && *got > 0;
       got = kernel::read_some(stream.read, buffer)) {
    text.append(buffer.data(), *got);
  }
  return text;
}

// Where the state of each family is, as its global flags say.
std::vector<std::string> global_flags(Family family, const Stage &stage) {
  switch (family) {
    case Family::runtime:
      return {"--root", stage.path("root")};
    case Family::image:
      return {"--progress", "none", "--store", stage.path("store")};
    case Family::compose:
      return {"--progress", "plain", "--state", stage.path("state"), "--store", stage.path("store")};
  }
  return {};
}

}  // namespace

Family family_of(const Runtime &runtime) {
  if (runtime.name.starts_with("skiff-image")) return Family::image;
  return runtime.name.starts_with("skiff-compose") ? Family::compose : Family::runtime;
}

Result<Outcome> call_to_end(const std::vector<std::string> &words, std::chrono::milliseconds patience) {
  Running running = TRY(spawn(words, {}));
  return finish(running, Clock::now() + patience);
}

Result<Site> Site::make(const Runtime &runtime, Stage::Place place, std::chrono::milliseconds patience) {
  const std::string program = place.program;
  Site site(TRY(Stage::make(runtime, std::move(place))), runtime, patience);
  // What runtimes leave in /run and in $TMPDIR is theirs alone here.
  TRY(kernel::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"));
  TRY(make_directory(site.path("tmp")));
  TRY(make_directory(site.path("root")));
  if (family_of(runtime) == Family::compose) {
    TRY(kernel::unshare(CLONE_NEWNET));
    TRY(kernel::bring_up_loopback());
  }
  for (kernel::Pipe *stream : {&site.out_, &site.err_, &site.answer_, &site.answer_err_}) {
    *stream = TRY(open_stream());
  }
  if (::setenv("TMPDIR", site.path("tmp").c_str(), 1) != 0) return fail(errno, "setenv");
  if (family_of(runtime) == Family::runtime) TRY(site.start_beside());
  enrich(site.stage_.config, program, site.path("log"));
  site.note_files();
  return site;
}

Status Site::start_beside() {
  stage_.config.set("/linux/cgroupsPath", stage_.cgroup() + "/beside");
  stage_.inside("wait");
  TRY(stage_.save());
  TRY(in("the container beside", succeed({"create", "--bundle", bundle(), "beside"})));
  TRY(in("the container beside", succeed({"start", "beside"})));
  TRY(wait_for_line());
  const Outcome outcome = TRY(call({"state", "beside"}));
  const Tree tree = TRY(Tree::parse(outcome.out));
  beside_ = static_cast<int>(tree.number("/pid").value_or(0));
  beside_pidfd_ = TRY(kernel::pidfd_open(beside_));
  beside_mounts_ = TRY(read_file(fmt::format("/proc/{}/mountinfo", beside_)));
  beside_facts_ = cgroup_facts(stage_.cgroup() + "/beside");
  return {};
}

Status Site::replace_beside() {
  kill_members(stage_.cgroup() + "/beside");
  (void)kernel::kill(beside_, SIGKILL);
  (void)call({"delete", "--force", "beside"});
  beside_ = 0;
  reap_orphans(grace);
  return start_beside();
}

Status Site::configure(const std::vector<std::string> &words) {
  stage_.config.set("/linux/cgroupsPath", cgroup());
  stage_.inside(words.front(), {words.begin() + 1, words.end()});
  forget_output();  // of the container before it, if nobody has read it
  for (const std::string &file : {path("log"), stage_.rootfs() + "/log"}) TRY(write_file(file, "", 0666));
  return stage_.save();
}

Order Site::order(const std::vector<std::string> &words) const {
  Order order{.words = runtime_->words,
              .directory = bundle(),
              .out = path_of(out_),
              .err = path_of(err_),
              .released_program = stage_.program(),
              .attached = {},
              .injection = {},
              .patience = patience_};
  const Family family = family_of(*runtime_);
  const std::vector<std::string> global = global_flags(family, stage_);
  order.words.insert(order.words.end(), global.begin(), global.end());
  // Of the programs that they run, each is tried by itself.
  order.only_itself = family != Family::runtime;
  order.words.insert(order.words.end(), words.begin(), words.end());
  return order;
}

Result<Outcome> Site::call(const std::vector<std::string> &words) {
  Order one = order(words);
  // What a container writes stays for who waits for it.
  if (words.front() != "create" && words.front() != "restore") one.out = path_of(answer_);
  return in(words.front(), finish_order(std::move(one)));
}

Result<Outcome> Site::call_beside(const std::string &program, const std::string &folder,
                                  const std::vector<std::string> &words) {
  const std::string &own = runtime_->words.front();
  const std::string here = own.substr(0, own.rfind('/'));
  const std::string beside = fmt::format("{}/{}", here, program);
  Order one = order({});
  one.words = {exists(beside) ? beside : fmt::format("{}/../{}/{}", here, folder, program)};
  one.words.insert(one.words.end(), words.begin(), words.end());
  one.out = path_of(answer_);
  return in(program, finish_order(std::move(one)));
}

Result<Outcome> Site::finish_order(Order one) {
  one.only_itself = false;
  one.patience = std::max(one.patience, undisturbed_patience);
  one.err = path_of(answer_err_);
  (void)drain(answer_);
  const Traced traced = TRY(run_traced(one));
  std::string out = drain(answer_);
  std::string err = drain(answer_err_);
  if (traced.hung) return fail("it did not end in time");
  return Outcome{traced.code, std::move(out), std::move(err)};
}

Status Site::succeed(const std::vector<std::string> &words) {
  const Outcome outcome = TRY(call(words));
  if (outcome.code != 0) return fail(fmt::format("{}: {}", words.front(), outcome.summary()));
  return {};
}

std::string Site::take_out() { return drain(out_); }

std::string Site::take_err() { return drain(err_); }

void Site::forget_output() {
  (void)take_out();
  (void)take_err();
}

Result<Tree> Site::state() {
  const Outcome outcome = TRY(call({"state", id()}));
  if (outcome.code != 0) return fail("state: " + outcome.summary());
  return in("state's output", Tree::parse(outcome.out));
}

Result<int> Site::pid() {
  const Tree tree = TRY(state());
  const std::int64_t number = tree.number("/pid").value_or(0);
  if (number <= 0) return fail("state: it has no pid: " + tree.dump());
  return static_cast<int>(number);
}

Status Site::wait_for_end(int pid) {
  const Result<kernel::Fd> process = kernel::pidfd_open(pid);
  if (!process) return process.error().number == ESRCH ? Status{} : std::unexpected(process.error());
  if (!TRY(kernel::wait_readable(*process, grace))) return fail(fmt::format("process {} does not end", pid));
  return {};
}

Result<Tree> Site::wait_for_line() {
  std::string buffer;
  return in("the program's output", Tree::parse(TRY(read_line(out_.read, buffer, Clock::now() + patience_))));
}

Facts Site::cgroup_facts(const std::string &cgroup) const {
  Facts facts;
  const bool unified = is_unified();
  for (const std::string &directory : find_cgroups(cgroup)) {
    for (const std::string_view file : watched) {
      // Beside hierarchies of v1 that of v2 limits nothing: it is not missed where it cannot be had.
      if (file == "cgroup.freeze" && !unified) continue;
      const std::string name = fmt::format("{}/{}", directory, file);
      if (const Result<std::string> text = read_file(name)) facts[name.substr(name.find("/sys/fs/cgroup"))] = *text;
    }
  }
  return facts;
}

std::vector<std::string> Site::hook_tags() const {
  std::vector<std::string> tags;
  for (const std::string &file : {path("log"), stage_.rootfs() + "/log"}) {
    const std::string text = read_file(file).value_or("");
    for (std::size_t at = 0; (at = text.find("\"tag\":\"", at)) != std::string::npos;) {
      at += 7;
      tags.push_back(text.substr(at, text.find('"', at) - at));
    }
  }
  return tags;
}

std::vector<std::string> Site::orphans() const {
  std::vector<std::string> found = own_children();
  std::erase(found, std::to_string(beside_));
  return found;
}

void Site::reap_orphans(std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  for (;;) {
    const std::vector<std::string> left_over = orphans();
    if (left_over.empty() || Clock::now() > deadline) return;
    const Result<kernel::Fd> process = kernel::pidfd_open(std::stoi(left_over.front()));
    if (process && kernel::wait_readable(*process, left(deadline)).value_or(false)) (void)kernel::waitid(*process);
  }
}

std::vector<std::string> Site::remains() {
  std::vector<std::string> found;
  reap_orphans(grace);
  for (const std::string &pid : orphans()) {
    std::string line = read_file(fmt::format("/proc/{}/cmdline", pid)).value_or("");
    std::ranges::replace(line, '\0', ' ');
    found.push_back(fmt::format("process {} ({})", pid, line));
  }
  for (const std::string &directory : find_cgroups(cgroup())) {
    // Of skiff-compose it is the cgroup_parent.
    const bool named = family_of(*runtime_) == Family::compose && directory.ends_with(cgroup());
    if (!named) found.push_back("cgroup " + directory);
  }
  const std::vector<std::string> mounts = all_mounts();
  const std::vector<std::string> files = all_files(stage_);
  std::vector<std::string> new_ones;
  std::ranges::set_difference(mounts, mounts_, std::back_inserter(new_ones));
  for (const std::string &mount : new_ones) found.push_back("mount " + mount);
  new_ones.clear();
  std::ranges::set_difference(files, files_, std::back_inserter(new_ones));
  for (const std::string &file : new_ones) found.push_back("file " + file);
  if (family_of(*runtime_) == Family::compose) {
    std::ranges::set_difference(all_of_network(), network_, std::back_inserter(found));
  }
  return found;
}

Result<Outcome> Site::remove() { return call({"delete", "--force", id()}); }

void Site::sweep() {
  for (const std::string &pid : orphans()) (void)kernel::kill(std::stoi(pid), SIGKILL);
  kill_members(cgroup());
  reap_orphans(grace);
  for (const std::string &directory : find_cgroups(cgroup())) {
    (void)kernel::unlinkat(kernel::cwd, directory, AT_REMOVEDIR);
  }
  std::vector<std::string> extra;
  std::ranges::set_difference(all_mounts(), mounts_, std::back_inserter(extra));
  for (const std::string &mount : extra) (void)kernel::umount2(mount, MNT_DETACH);
  extra.clear();
  std::ranges::set_difference(all_files(stage_), files_, std::back_inserter(extra));
  // What lies in a directory before the directory.
  for (auto file = extra.rbegin(); file != extra.rend(); ++file) {
    if (!kernel::unlinkat(kernel::cwd, *file, 0)) (void)kernel::unlinkat(kernel::cwd, *file, AT_REMOVEDIR);
  }
}

void Site::note_files() {
  files_ = all_files(stage_);
  mounts_ = all_mounts();
  if (family_of(*runtime_) == Family::compose) network_ = all_of_network();
}

std::string Site::harm() {
  if (beside_ == 0) return "";
  if (kernel::wait_readable(beside_pidfd_, std::chrono::milliseconds(0)).value_or(true)) return "its process ended";
  if (read_file(fmt::format("/proc/{}/mountinfo", beside_)).value_or("") != beside_mounts_) return "its mounts changed";
  if (cgroup_facts(stage_.cgroup() + "/beside") != beside_facts_) return "its cgroup changed";
  return "";
}

}  // namespace skiff::conformance
