find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)

add_executable(imgtool_test
  ${CMAKE_CURRENT_LIST_DIR}/../runtime/kernel/isolated.cc
  ${CMAKE_CURRENT_LIST_DIR}/build_plan_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/build_state_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/bundle_arriving_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/certificate.cc
  ${CMAKE_CURRENT_LIST_DIR}/challenge_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/credentials_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/debian_registry.cc
  ${CMAKE_CURRENT_LIST_DIR}/debian_registry_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/decompress_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/deep_tree_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/digest_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/dockerfile_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/dockerfile_words_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/elf_file.cc
  ${CMAKE_CURRENT_LIST_DIR}/elf_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/faulty_registry.cc
  ${CMAKE_CURRENT_LIST_DIR}/fetch_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/foreign_layout_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/header_field_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/image_user_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/interrupts_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/layer_attack_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/layer_store_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/layer_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/layer_whiteout_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/layer_writer_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/layout_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/library_search_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/loader_cache_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/platform_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/progress_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/reference_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/registry_auth_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/registry_pull_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/registry_push_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/registry_rig.cc
  ${CMAKE_CURRENT_LIST_DIR}/retry_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/runtime_config_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/store_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/tar_reader_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/tar_writer_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/thread_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/tree_stream_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/tree_test.cc
  ${CMAKE_CURRENT_LIST_DIR}/url_test.cc
)
target_link_libraries(imgtool_test PRIVATE skiff_image OpenSSL::Crypto PkgConfig::ZSTD ZLIB::ZLIB GTest::gtest_main)
gtest_discover_tests(imgtool_test TEST_PREFIX imgtool.)
