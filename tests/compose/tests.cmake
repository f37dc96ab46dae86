add_executable(compose_test
  ${CMAKE_CURRENT_LIST_DIR}/address_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/ctst_syntax_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/finding_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/firewall_chains_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/name_files_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/network_rig.cc
  ${CMAKE_CURRENT_LIST_DIR}/network_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/program_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/secrets_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/sha256_test.cc
)
target_link_libraries(compose_test PRIVATE skiff_compose GTest::gtest_main)
gtest_discover_tests(compose_test TEST_PREFIX compose.)
