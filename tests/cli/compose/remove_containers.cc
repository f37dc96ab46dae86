#include "tests/cli/compose/remove_containers.h"

#include <gtest/gtest.h>

#include <sstream>

namespace skiff::rig {

void remove_containers(const std::function<Outcome(const std::vector<std::string> &words)> &compose) {
  std::vector<std::string> words = {"rm", "-f", "-v"};
  std::istringstream ids(compose({"ps", "-aq", "--no-trunc"}).out);
  for (std::string id; std::getline(ids, id);) words.push_back(id);
  if (words.size() > 3) {
    EXPECT_EQ(compose(words).code, 0);
  }
}

}  // namespace skiff::rig
