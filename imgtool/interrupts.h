// SIGINT, SIGTERM and SIGHUP: what a command is making at that moment is removed, then the program ends with 128 + n.
//
// What a signal needs no care for is not named here: a download stays as far as it came, for the next one to resume.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "imgtool/thread.h"
#include "runtime/kernel/fd.h"
#include "spec/error.h"

namespace skiff::image {

class Interrupts {
 public:
  // Blocks the signals in this thread and in all that it starts, so before there is any other; a thread of its own
  // waits for them. A program that is executed needs kernel::reset_signals.
  [[nodiscard]] static Result<std::unique_ptr<Interrupts>> open();
  Interrupts(const Interrupts &) = delete;
  Interrupts &operator=(const Interrupts &) = delete;
  ~Interrupts();

  // The absolute path of a file or directory that is half made until forget().
  void remember(const std::string &path);
  void forget(const std::string &path);
  // Where a signal has come, the error that it caused elsewhere is not worth telling: this waits for the end.
  void wait_if_ending();

 private:
  Interrupts(kernel::Fd signals, kernel::Pipe stop);
  void watch();
  void remove_all();

  kernel::Fd signals_;
  kernel::Pipe stop_;
  std::mutex mutex_;
  std::vector<std::string> paths_;
  bool ending_ = false;
  Thread thread_;
};

// A directory that is made under a name beside `target` and gets its place by rename(2), so that a failure leaves
// nothing there. Dropped before that it is removed with everything in it.
class HalfMade {
 public:
  // `target`'s parent must exist, the target itself must not, or be an empty directory: EEXIST or ENOTEMPTY, with the
  // remedy. The new directory has the mode 0700.
  [[nodiscard]] static Result<HalfMade> make_directory(const std::string &target, Interrupts &interrupts);
  // In this directory, never to get a place: for what is only needed meanwhile.
  [[nodiscard]] static Result<HalfMade> make_scratch(const std::string &parent, Interrupts &interrupts);
  // The same as make_directory for a file, which may exist and is replaced then; `file()` is open for reading and
  // writing.
  [[nodiscard]] static Result<HalfMade> make_file(const std::string &target, Interrupts &interrupts);
  HalfMade(HalfMade &&other) noexcept;
  HalfMade &operator=(HalfMade &&) = delete;
  HalfMade(const HalfMade &) = delete;
  HalfMade &operator=(const HalfMade &) = delete;
  ~HalfMade();

  [[nodiscard]] const std::string &path() const { return path_; }  // for now
  [[nodiscard]] const std::string &target() const { return target_; }
  [[nodiscard]] const kernel::Fd &fd() const { return fd_; }
  // Gives it its place.
  [[nodiscard]] Status finish(mode_t mode);

 private:
  using Create = std::function<Result<kernel::Fd>(const std::string &path)>;
  [[nodiscard]] static Result<HalfMade> make_with(const std::string &target, Interrupts &interrupts,
                                                  const Create &create);
  [[nodiscard]] static Result<HalfMade> make(const std::string &target, Interrupts &interrupts);
  HalfMade(std::string target, std::string path, kernel::Fd fd, Interrupts &interrupts);
  std::string target_;
  std::string path_;
  kernel::Fd fd_;
  Interrupts *interrupts_ = nullptr;
};

}  // namespace skiff::image
