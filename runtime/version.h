// What --version and features say; the build passes SKIFF_VERSION and SKIFF_COMMIT.
#pragma once

#define SKIFF_SPEC_VERSION "1.3.0"
