#include "conformance/inside/probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "conformance/inside/text.h"

namespace skiff::inside {
namespace {

using Words = std::vector<std::string>;

// What a verb returns: JSON for "value"; failure is in errno.
using Verb = std::string (*)(const Words &words);

const char *word(const Words &words, std::size_t index) { return index < words.size() ? words[index].c_str() : ""; }
long number(const Words &words, std::size_t index, int radix = 10) {
  return std::strtol(word(words, index), nullptr, radix);
}

// The result of a call that is -1 on failure; a success clears errno.
std::string done(long result) {
  if (result >= 0) errno = 0;
  return std::to_string(result);
}

std::string read(const Words &words) { return quote(read_file(word(words, 1)).substr(0, 4096)); }

std::string open_with(const char *path, int flags, std::string_view text) {
  const int fd = ::open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
  if (fd < 0) return "-1";
  const long result = text.empty() ? 0 : ::write(fd, text.data(), text.size());
  const int failure = errno;
  ::close(fd);
  errno = failure;
  return done(result);
}
std::string write(const Words &words) { return open_with(word(words, 1), O_WRONLY, word(words, 2)); }
std::string create(const Words &words) { return open_with(word(words, 1), O_WRONLY | O_CREAT, word(words, 2)); }
std::string open(const Words &words) { return open_with(word(words, 1), O_RDWR, ""); }

std::string list(const Words &words) {
  Text names('[');
  DIR *directory = ::opendir(word(words, 1));
  if (directory == nullptr) return "[]";
  Words all;
  errno = 0;
  while (const dirent *entry = ::readdir(directory)) all.emplace_back(entry->d_name);
  const int failure = errno;
  ::closedir(directory);
  std::ranges::sort(all);
  for (const std::string &name : all) {
    if (name != "." && name != "..") names.add("", name);
  }
  errno = failure;
  return names.finish();
}

std::string readlink(const Words &words) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlink(word(words, 1), target.data(), target.size());
  if (size < 0) return "\"\"";
  errno = 0;
  return quote({target.data(), static_cast<std::size_t>(size)});
}

std::string stat(const Words &words) {
  struct stat found{};
  if (::lstat(word(words, 1), &found) != 0) return "{}";
  errno = 0;
  constexpr std::string_view types = "?pc?d?b?-?l?s???";
  Text out('{');
  out.add("type", types.substr(found.st_mode >> 12, 1));
  out.add("mode", found.st_mode & 07777);
  out.add("uid", found.st_uid);
  out.add("gid", found.st_gid);
  out.add("major", major(found.st_rdev));
  out.add("minor", minor(found.st_rdev));
  out.add("size", found.st_size);
  return out.finish();
}

std::string exec(const Words &words) {
  const pid_t child = ::fork();
  if (child < 0) return "-1";
  if (child == 0) {
    std::vector<const char *> arguments;
    for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(words[i].c_str());
    arguments.push_back(nullptr);
    // Its output would stand between ours.
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) (void)::dup2(null, 1);
    ::execv(arguments[0], const_cast<char *const *>(arguments.data()));
    ::_exit(errno == EACCES ? 126 : 127);
  }
  int status = 0;
  (void)::waitpid(child, &status, 0);
  errno = 0;
  return std::to_string(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

std::string make_node(const Words &words) {
  const char type = word(words, 2)[0];
  const mode_t mode = type == 'c' ? S_IFCHR : type == 'b' ? S_IFBLK : S_IFIFO;
  return done(::mknod(word(words, 1), mode | 0666,
                      makedev(static_cast<unsigned>(number(words, 3)), static_cast<unsigned>(number(words, 4)))));
}

std::string make_directory(const Words &words) { return done(::mkdir(word(words, 1), 0777)); }
std::string mount(const Words &words) {
  return done(::mount(word(words, 1), word(words, 2), word(words, 1), 0, nullptr));
}
std::string bind(const Words &words) {
  return done(::mount(word(words, 1), word(words, 2), nullptr, MS_BIND, nullptr));
}
std::string change_mode(const Words &words) {
  return done(::chmod(word(words, 1), static_cast<mode_t>(number(words, 2, 8))));
}
std::string change_owner(const Words &words) {
  return done(::lchown(word(words, 1), static_cast<uid_t>(number(words, 2)), static_cast<gid_t>(-1)));
}
std::string set_host_name(const Words &words) { return done(::sethostname(word(words, 1), words[1].size())); }

std::string system_call(const Words &words) {
  std::array<long, 6> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char *text = word(words, i + 2);
    char *end = nullptr;
    values[i] = std::strtol(text, &end, 0);
    if (*end != '\0') values[i] = reinterpret_cast<long>(text);
  }
  return done(::syscall(number(words, 1), values[0], values[1], values[2], values[3], values[4], values[5]));
}

struct Entry {
  std::string_view name;
  Verb run;
};
constexpr std::array<Entry, 16> verbs = {{{"read", read},
                                          {"write", write},
                                          {"create", create},
                                          {"open", open},
                                          {"list", list},
                                          {"readlink", readlink},
                                          {"stat", stat},
                                          {"exec", exec},
                                          {"mknod", make_node},
                                          {"mkdir", make_directory},
                                          {"mount", mount},
                                          {"bind", bind},
                                          {"chmod", change_mode},
                                          {"chown", change_owner},
                                          {"sethostname", set_host_name},
                                          {"syscall", system_call}}};

}  // namespace

std::string probe(std::string_view text) {
  Words words;
  for (std::string_view rest = text;;) {
    const std::string_view one = rest.substr(0, rest.find(':'));
    words.emplace_back(one);
    if (one.size() == rest.size()) break;
    rest.remove_prefix(one.size() + 1);
  }
  if (words.size() < 2) words.emplace_back();
  errno = 0;
  std::string value = "null";
  int failure = ENOTSUP;
  for (const auto &[name, run] : verbs) {
    if (name != words[0]) continue;
    value = run(words);
    failure = errno;
  }
  Text out('{');
  out.add("probe", text);
  out.add("errno", failure);
  out.raw("value", value);
  return out.finish();
}

}  // namespace skiff::inside
