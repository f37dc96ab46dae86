#include "conformance/judge.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "conformance/ground.h"
#include "conformance/leavings.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/prctl.h"

namespace skiff::conformance {
namespace {

// What a case that is killed may take on top of its patience, for its own clearing up.
constexpr std::chrono::seconds grace{15};

// A case that runs.
struct Job {
  std::size_t index = 0;  // in the order of the findings
  kernel::Child child;
  kernel::Fd verdict;  // the read end of its pipe
  std::string text;    // what came so far
  Clock::time_point began;
  Clock::time_point deadline;
  Stage::Place place;
};

struct Judged {
  Verdict verdict;
  std::string note;
  unsigned tries;
};

Judged judged_by(const Case &one, Stage &stage) {
  Verdict verdict = one.run(stage);
  const Status cleared = stage.clear();
  const bool judged = one.clauses.find("runtime.delete.resources") != std::string_view::npos ||
                      one.clauses.find("runtime.create.error") != std::string_view::npos;
  if (verdict && judged && !cleared) verdict = std::unexpected(Miss(cleared.error()));
  return {std::move(verdict), stage.noted(), stage.tries()};
}

Result<Judged> run_case(const Case &one, const Runtime &runtime, const Stage::Place &place, bool unified) {
  TRY(kernel::set_pdeathsig(SIGKILL));
  TRY(kernel::set_child_subreaper(true));
  TRY(enter_mount_namespace());
  if (unified) TRY(show_unified_cgroups());
  (void)kernel::umask(022);
  Stage stage = TRY(Stage::make(runtime, place));
  return judged_by(one, stage);
}

// One byte for the mark, the number of tries, a blank, then the text.
std::string encode(const Result<Judged> &judged) {
  if (!judged) return "u0 " + judged.error().message();
  if (judged->verdict) return fmt::format("p{} {}", judged->tries, judged->note);
  const Miss &miss = judged->verdict.error();
  return fmt::format("{}{} {}", miss.skipped ? 's' : miss.undecided ? 'u' : 'f', judged->tries, miss.text);
}

Finding decode(std::string_view text, Finding finding) {
  if (text.empty()) {
    finding.undecided = true;
    finding.text = "the case did not come to an end in time, or ended without a verdict";
    return finding;
  }
  finding.mark = text[0] == 'p' ? Mark::passed : text[0] == 's' ? Mark::skipped : Mark::failed;
  finding.undecided = text[0] == 'u';
  const std::size_t blank = std::min(text.find(' '), text.size() - 1);
  finding.tries = cli::parse_number<unsigned>(text.substr(1, blank - 1)).value_or(0);
  finding.text = text.substr(blank + 1);
  // A report is text, whatever a runtime wrote.
  std::ranges::replace_if(finding.text, [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\t'; }, ' ');
  return finding;
}

class Court {
 public:
  Court(const Trial &trial, const std::function<void(const Finding &)> &told)
      : trial_(trial), told_(told), findings_(trial.cases->size() * trial.runtimes->size()) {}

  Result<std::vector<Finding>> run() {
    while (next_ < findings_.size() || !jobs_.empty()) {
      while (next_ < findings_.size() && jobs_.size() < trial_.jobs) TRY(open_case(next_++));
      TRY(wait());
    }
    std::vector<Finding> all;
    for (std::optional<Finding> &finding : findings_) all.push_back(*std::move(finding));
    return all;
  }

 private:
  [[nodiscard]] const Case &case_at(std::size_t index) const {
    return (*trial_.cases)[index / trial_.runtimes->size()];
  }

  Status open_case(std::size_t index) {
    const Runtime &runtime = (*trial_.runtimes)[index % trial_.runtimes->size()];
    Job job{.index = index,
            .child = {},
            .verdict = {},
            .text = {},
            .began = Clock::now(),
            .deadline = Clock::now() + trial_.patience + grace,
            .place = {.directory = fmt::format("{}/{}", trial_.directory, index),
                      .program = trial_.program,
                      .cgroup = fmt::format("{}/{}", trial_.cgroup, index),
                      .deadline = Clock::now() + trial_.patience,
                      .variant = case_at(index).variant,
                      .tries = trial_.tries}};
    kernel::Pipe pipe = TRY(kernel::pipe2());
    job.child = TRY(kernel::clone3({}));
    if (job.child.is_this_process()) {
      disown_jobs();
      const std::string text = encode(run_case(case_at(index), runtime, job.place, trial_.unified));
      (void)kernel::write_all(pipe.write, text);
      ::_exit(0);
    }
    job.verdict = std::move(pipe.read);
    jobs_.push_back(std::move(job));
    return {};
  }

  // In a case's process: it has copies of what the judge holds of the others. What a case finds open, and by which
  // number, must not depend on what runs beside it.
  void disown_jobs() {
    for (Job &other : jobs_) {
      (void)other.child.release();
      other.verdict.reset();
    }
  }

  // Until at least one case is over or out of time.
  Status wait() {
    std::vector<pollfd> fds;
    Clock::time_point soonest = Clock::time_point::max();
    for (const Job &job : jobs_) {
      fds.push_back({job.verdict.get(), POLLIN, 0});
      soonest = std::min(soonest, job.deadline);
    }
    (void)TRY(kernel::poll(fds, left(soonest)));
    for (std::size_t i = jobs_.size(); i-- > 0;) {
      Job &job = jobs_[i];
      std::array<char, 4096> buffer{};
      std::size_t got = 0;
      if (fds[i].revents != 0) got = TRY(kernel::read_some(job.verdict, buffer));
      job.text.append(buffer.data(), got);
      if (got > 0 || (fds[i].revents == 0 && Clock::now() < job.deadline)) continue;
      TRY(close_case(job));
      jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return {};
  }

  Status close_case(Job &job) {
    const bool clean = !job.text.empty();
    if (clean) {
      (void)TRY(job.child.wait());
    } else {
      job.child = {};  // killed, and its mounts go with its namespace
      (void)remove_leavings(job.place.directory, job.place.cgroup);
    }
    Finding finding{.of = &case_at(job.index),
                    .runtime = job.index % trial_.runtimes->size(),
                    .time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - job.began)};
    findings_[job.index] = decode(job.text, std::move(finding));
    while (told_count_ < findings_.size() && findings_[told_count_]) told_(*findings_[told_count_++]);
    return {};
  }

  const Trial &trial_;
  const std::function<void(const Finding &)> &told_;
  std::vector<std::optional<Finding>> findings_;
  std::vector<Job> jobs_;
  std::size_t next_ = 0;
  std::size_t told_count_ = 0;
};

}  // namespace

std::string_view mark_name(Mark mark) {
  constexpr std::array<std::string_view, 3> names = {"passed", "failed", "skipped"};
  return names[static_cast<std::size_t>(mark)];
}

Result<std::vector<Finding>> judge(const Trial &trial, const std::function<void(const Finding &)> &told) {
  return Court(trial, told).run();
}

}  // namespace skiff::conformance
