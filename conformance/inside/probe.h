// Things a case asks the process to try, each by one word of the command line: "VERB:ARGUMENT:ARGUMENT".
#pragma once

#include <string>
#include <string_view>

namespace skiff::inside {

// {"probe": the word, "errno": 0 or the number, "value": what came of it}.
//   read:PATH write:PATH:TEXT create:PATH open:PATH list:PATH readlink:PATH mkdir:PATH   as their names say
//   stat:PATH          value is {"type","mode","uid","gid","major","minor","size"}; does not follow a symlink
//   exec:PATH:WORD...  value is its exit status as a shell gives it
//   mknod:PATH:c|b|p:MAJOR:MINOR
//   mount:TYPE:PATH    a new filesystem of that type
//   bind:FROM:TO
//   chmod:PATH:OCTAL chown:PATH:UID
//   sethostname:NAME
//   syscall:NUMBER:ARGUMENT...   numbers, or words that are passed as strings
[[nodiscard]] std::string probe(std::string_view word);

}  // namespace skiff::inside
