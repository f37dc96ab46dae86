add_executable(cli_test
  ${CMAKE_CURRENT_LIST_DIR}/completion_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/flags_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/log_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/parse_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/usage_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/value_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/width_test.cc
)
target_link_libraries(cli_test PRIVATE skiff_cli GTest::gtest_main)
gtest_discover_tests(cli_test)
