// Ten projects as people write them, each with what `config` has to print: shapes/NAME/expected.yaml. They were
// compared with docker compose 2.40; shapes/README.md has what differs on purpose.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "compose/interpolate.h"
#include "compose/load.h"
#include "compose/value_text.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {
namespace {

std::string folder_of_shapes() { return SKIFF_SHAPES; }

std::string read(const std::string &path) {
  const Result<kernel::Fd> file = kernel::open(path, O_RDONLY);
  if (!file) return file.error().message();
  return kernel::read_all(*file, 1 << 20).value_or("");
}

std::string canonical(const std::string &name) {
  const std::string folder = folder_of_shapes();
  LoadRequest request;
  request.working_directory = folder + "/" + name;
  request.environment = {{"HOME", "/home/u"}};
  Result<Loaded> loaded = load_project(request);
  if (!loaded) return loaded.error().message();
  if (loaded->findings.has_errors()) return as_error(loaded->findings).text;
  escape_dollars(loaded->project.canonical);
  std::string text = print_yaml(loaded->project.canonical);
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at)) {
    text.replace(at, folder.size(), "@SHAPES@");
  }
  return text;
}

class Shape : public testing::TestWithParam<const char *> {};

TEST_P(Shape, HasTheExpectedConfig) {
  EXPECT_EQ(canonical(GetParam()), read(folder_of_shapes() + "/" + GetParam() + "/expected.yaml"));
}

INSTANTIATE_TEST_SUITE_P(Shapes, Shape,
                         testing::Values("wordpress", "nextcloud", "elk", "prometheus", "gitea", "django", "traefik",
                                         "minecraft", "monorepo", "airflow"),
                         [](const auto &one) { return std::string(one.param); });

}  // namespace
}  // namespace skiff::compose
