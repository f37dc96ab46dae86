// A .ctst file as words, strings, numbers and signs (CTST.md, "Lexical").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compose/ctst_text.h"

namespace skiff::compose::ctst {

struct Token {
  enum class Kind : std::uint8_t {
    word,  // a name or a keyword
    string,
    integer,
    open_brace,
    close_brace,
    open_bracket,
    close_bracket,
    equals,
    comma,
    dot,
    colon,
    arrow,
    end,
  };
  Kind kind = Kind::end;
  bool begins_line = false;  // nothing but space stands in front of it
  Position at;
  std::string_view written;  // as it stands in the file
  Text text;                 // of a string
};

// Whole, with an `end` behind the last. What is no token is told and left out.
[[nodiscard]] std::vector<Token> lex(const Source &source, Findings &findings);

// The text of a file as a Source has it: without the byte order mark.
[[nodiscard]] std::string without_mark(std::string bytes);

// IMPORT, true and the other words that name nothing.
[[nodiscard]] bool is_reserved(std::string_view word);

}  // namespace skiff::compose::ctst
