find_package(nlohmann_json REQUIRED)

add_executable(cli_program_test
  cli/rig.cc
  cli/run_test.cc
)
target_compile_definitions(cli_program_test PRIVATE SKIFF_PROGRAM="$<TARGET_FILE:skiff>")
target_link_libraries(cli_program_test PRIVATE skiff_runtime nlohmann_json::nlohmann_json GTest::gtest_main)
add_dependencies(cli_program_test skiff)
gtest_discover_tests(cli_program_test DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 120)
