// The command line, read by constexpr tables: runc's flags and conventions, so that its callers need not change a word.
//
// A flag is written `--name VALUE`, `--name=VALUE`, or with one dash as Go programs do (`-name VALUE`, `-name=VALUE`);
// a letter as `-n VALUE` or `-n=VALUE`; letters of flags without a value may be joined (`-td`). A bool is set by its
// name alone, or by `--name=true|false`. A flag given twice counts once, its last value wins, except for the plural
// kinds, which collect every value. A comma never separates values. `--` ends the flags. A command takes the global
// flags too.
//
// The same tables print the help, the completions and the manual page, which therefore cannot drift from the parser.
// The values are views of argv: they live as long as the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::cli {

// What a flag's value may be. All but Bool need one. A value is checked when it is parsed, so that no getter can fail.
enum class Kind {
  Bool,      // as Go's ParseBool: 1 t true, 0 f false, in three spellings of case
  String,    //
  Strings,   // repeatable
  Integer,   // 64 bits, signed, decimal
  Integers,  // repeatable
  Unsigned,  // 64 bits, decimal
  Uint32,    // 32 bits, decimal
  Size,      // bytes: a number with k, m, g, t or p (powers of 1024, in either case, "b" or "ib" may follow), or -1
  Duration,  // as Go writes it: 5s, 1m30s, 1.5h, 300ms; 0 needs no unit; not negative
};

struct FlagSpec {
  std::string_view name = {};  // without dashes
  char letter = 0;             // the short form, or 0
  Kind kind = Kind::String;
  std::string_view value = {};    // the value's name in help: "FILE" and "DIR" also choose what a shell completes
  std::string_view text = {};     // one line, lower case, no full stop
  std::string_view choices = {};  // "text|json": nothing else is accepted; empty for any value
  std::string_view initial = {};  // the value where none is given; empty for none
  bool hidden = false;            // accepted, and neither shown nor suggested: obsolete, or for other programs only
  std::string_view alone = {};    // the value where the flag stands alone; any other needs the "=" (--pull=never)

  // Whether the word after it is its value.
  [[nodiscard]] constexpr bool takes_word() const { return kind != Kind::Bool && alone.empty(); }
};

inline constexpr int kUnlimited = -1;

struct Command {
  std::string_view name = {};
  std::string_view usage = {};  // the positionals: "CONTAINER [SIGNAL]"; shells complete CONTAINER and "a|b|c" in front
  std::string_view summary = {};      // one sentence, lower case, no full stop
  std::string_view description = {};  // paragraphs, separated by an empty line; may be empty
  std::span<const FlagSpec> flags = {};
  int min_positionals = 0;
  int max_positionals = 0;                // kUnlimited: no maximum
  bool stop_at_first_positional = false;  // exec, ps, kill: the rest belongs to another program
  bool joined_values = false;  // docker's way: a letter's value may stand in its word, "-p80:80", "-itv/a:/b"
  bool hidden = false;
};

// Pointers, so that each command's file can own its table and no copy is made at start. A program that does one thing
// has one command without a name: its flags and positionals follow the program's name.
struct Program {
  std::string_view name = {};
  std::string_view version = {};
  std::string_view summary = {};
  std::string_view description = {};
  std::span<const FlagSpec> flags = {};  // the global ones
  std::span<const Command *const> commands = {};
};

// The flags given against one table. Asking for a name that the table lacks is a mistake in the program: it aborts.
class Flags {
 public:
  Flags() = default;
  explicit Flags(std::span<const FlagSpec> table) : table_(table) {}

  // True where the command line named the flag, whatever its value.
  [[nodiscard]] bool given(std::string_view name) const;
  // The last value given, else the table's initial one, else false, "" or nothing.
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::string_view string(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;      // Integer
  [[nodiscard]] std::optional<std::uint64_t> unsigned64(std::string_view name) const;  // Unsigned
  [[nodiscard]] std::optional<std::uint32_t> uint32(std::string_view name) const;      // Uint32
  [[nodiscard]] std::optional<std::int64_t> size(std::string_view name) const;         // bytes; -1: unlimited
  [[nodiscard]] std::optional<std::chrono::nanoseconds> duration(std::string_view name) const;
  // Every value given, in order.
  [[nodiscard]] std::vector<std::string_view> strings(std::string_view name) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;

  // What the parser uses.
  [[nodiscard]] const FlagSpec *find(std::string_view name) const;  // by long name or by letter; nullptr: none
  [[nodiscard]] std::span<const FlagSpec> table() const { return table_; }
  Status set(const FlagSpec &flag, std::string_view value);  // an error names the flag, the value and what is accepted

 private:
  struct Given {
    const FlagSpec *flag;
    std::string_view value;
  };
  [[nodiscard]] const FlagSpec &expect(std::string_view name) const;
  [[nodiscard]] std::string_view last(std::string_view name) const;

  std::span<const FlagSpec> table_;
  std::vector<Given> given_;
};

struct Invocation {
  const Command *command = nullptr;  // nullptr: none was named, by a program whose commands have names
  Flags global;
  Flags flags;  // the command's own
  std::vector<std::string_view> positionals;
  bool help = false;     // --help, -h or the word `help`: of the command where there is one, else of the program
  bool version = false;  // --version, -v
};

// Parses argv without its first word. Errors have no errno and name the command and the flag; an unknown name gets the
// nearest known one as its remedy, a wrong number of positionals the command's usage. A flag without its value is
// "flag needs an argument: --name", which Podman looks for to learn what a runtime can do.
[[nodiscard]] Result<Invocation> parse(const Program &program, std::span<const char *const> arguments);

// The command of that name, hidden ones too; nullptr where there is none.
[[nodiscard]] const Command *find_command(const Program &program, std::string_view name);
// Of the commands of two words that begin with this one, the second words: "create, ls". Empty where there are none.
[[nodiscard]] std::string second_words(const Program &program, std::string_view first);

}  // namespace skiff::cli
