// System calls by name, and the errors that each of them may plausibly return.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::conformance {

struct CallFaults {
  std::string_view name;
  std::string_view stem;        // what a message about this call has in it, whatever the variant: "open"
  int path = -1;                // the argument that is a path; -1: none
  std::array<int, 5> errors{};  // ends at the first 0
  bool made = false;            // the call has its effect all the same: close(2) closes whatever it returns
};

// nullptr: no error of this call is plausible, or none would be told (getpid, munmap, futex).
[[nodiscard]] const CallFaults *find_faults(std::string_view name);

// By the numbers of the machine that this runs on: "openat"; the number where nobody knows it.
[[nodiscard]] std::string call_name(std::uint64_t number);

// "EIO"; the number where it has no name.
[[nodiscard]] std::string error_name(int number);

}  // namespace skiff::conformance
