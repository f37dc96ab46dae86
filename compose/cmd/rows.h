// What `network ls` and `volume ls` print of what they have found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/cmd/command.h"
#include "compose/output.h"
#include "runtime/cli/table.h"
#include "spec/writer.h"

namespace skiff::compose {

template <class Row>
struct Column {
  std::string_view title;
  std::string Row::*text;
};

// As the command's --format and --quiet say: JSON, the names alone, or a table of these columns.
template <class Row>
[[nodiscard]] Result<int> print_rows(const Context &context, const std::vector<Row> &rows, std::string Row::*name,
                                     const std::vector<Column<Row>> &columns) {
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(rows) + "\n");
  std::vector<std::vector<std::string>> lines;
  const bool quiet = context.flags().boolean("quiet");
  if (!quiet) lines.emplace_back();
  for (const Column<Row> &column : columns) {
    if (!quiet) lines.front().emplace_back(column.title);
  }
  for (const Row &row : rows) {
    std::vector<std::string> &line = lines.emplace_back();
    if (quiet) line.push_back(row.*name);
    for (const Column<Row> &column : columns) {
      if (!quiet) line.push_back(row.*(column.text));
    }
  }
  return print(cli::table_text(lines));
}

}  // namespace skiff::compose
