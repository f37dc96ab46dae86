#include "compose/show_text.h"

#include <gtest/gtest.h>

#include <sstream>

#include "compose/image_progress.h"
#include "runtime/cli/width.h"

namespace skiff::compose {
namespace {

using Lines = std::vector<std::vector<std::string>>;

const Lines &table() {
  static const Lines lines = {{"NAME", "IMAGE", "STATUS", "PORTS"},
                              {"shop-web-1", "registry.example/web:1.2", "Up 2 minutes", "0.0.0.0:8080->80/tcp"}};
  return lines;
}

std::string heading(const std::string &text) { return text.substr(0, text.find('\n')); }

TEST(FittedTable, IsWholeWhereThereIsRoom) {
  EXPECT_EQ(fitted_table(table(), {.cut = 3}, 80),
            "NAME         IMAGE                      STATUS         PORTS\n"
            "shop-web-1   registry.example/web:1.2   Up 2 minutes   0.0.0.0:8080->80/tcp\n");
}

TEST(FittedTable, CutsOneColumnThenDropsThenCutsAll) {
  const TableFit fit{.cut = 3, .dropped = {1, 3}};
  EXPECT_EQ(fitted_table(table(), fit, 70),
            "NAME         IMAGE                      STATUS         PORTS\n"
            "shop-web-1   registry.example/web:1.2   Up 2 minutes   0.0.0.0:8080->…\n");
  EXPECT_EQ(heading(fitted_table(table(), fit, 60)), "NAME         STATUS         PORTS");
  EXPECT_EQ(heading(fitted_table(table(), fit, 30)), "NAME         STATUS");
  EXPECT_EQ(fitted_table(table(), fit, 16), "NAME     STATUS\nshop-…   Up 2 m…\n");
}

TEST(FittedTable, IsNeverWiderThanTheTerminal) {
  for (std::size_t columns = 8; columns < 100; ++columns) {
    std::istringstream lines(fitted_table(table(), {.cut = 3, .dropped = {1, 3}}, columns));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(cli::width_of(line), columns) << line;
  }
}

TEST(ImageProgress, AddsUpWhatIsKnown) {
  ImageProgress progress;
  EXPECT_EQ(progress.text(), "");
  progress.take("{\"id\":\"a\",\"status\":\"Downloading\",\"current\":1000,\"total\":4000}\n{\"id\":\"b\",\"sta");
  EXPECT_EQ(progress.text(), "1kB / 4kB");
  progress.take(
      "tus\":\"Downloading\",\"current\":500,\"total\":6000}\n{\"id\":\"a\",\"status\":\"x\",\"current\":4000,"
      "\"total\":4000}\n");
  EXPECT_EQ(progress.text(), "4.5kB / 10kB");
  progress.take("skiff-image: it failed\n");
  EXPECT_EQ(progress.words(), "skiff-image: it failed\n");
}

}  // namespace
}  // namespace skiff::compose
