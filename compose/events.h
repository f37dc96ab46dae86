// What has happened, in the order it happened: DATA/events, a line of docker's event JSON each.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "compose/container.h"

namespace skiff::compose {

// Appends a line. Beside the container's name, image and labels it has `details`, such as exitCode. What cannot be
// written is nobody's error: an event is no reason to fail what has happened.
void record_event(const Places &places, const ContainerRecord &record, std::string_view action,
                  const std::map<std::string, std::string> &details = {});

}  // namespace skiff::compose
