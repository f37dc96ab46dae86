// The words of an instruction: quotes, escapes, and variables ("Environment replacement").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/error.h"

namespace skiff::image {

// The value of a variable, or none.
using Variables = std::function<std::optional<std::string>(std::string_view name)>;

// One word: $x, ${x}, ${x:-y}, ${x:+y}, ${x-y}, ${x+y}, ${x:?y}, ${x?y}; what is unset is empty. Quotes are taken off;
// nothing is expanded in single ones.
[[nodiscard]] Result<std::string> expand_word(std::string_view text, char escape, const Variables &variables);

// The words of a line, quotes and escapes still in them: blanks inside quotes part nothing.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text, char escape);

// The arguments of EXPOSE: a variable's value may be several words.
[[nodiscard]] Result<std::vector<std::string>> expand_words(std::string_view text, char escape,
                                                            const Variables &variables);

// In the text of a heredoc quotes are letters like any other.
[[nodiscard]] Result<std::string> expand_text(std::string_view text, char escape, const Variables &variables);

// ENV and LABEL: NAME=VALUE..., or the old "NAME VALUE".
using Pairs = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Result<Pairs> expand_pairs(std::string_view text, char escape, const Variables &variables);

}  // namespace skiff::image
