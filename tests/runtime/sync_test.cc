#include "runtime/sync.h"

#include <gtest/gtest.h>

#include "runtime/kernel/socket.h"

namespace skiff {
namespace {

TEST(Sync, AMessageComesBackAsItWasMade) {
  const Result<Received> pid = parse_message(make_message(Word::pid, 4711));
  ASSERT_TRUE(pid);
  EXPECT_EQ(pid->word, Word::pid);
  EXPECT_EQ(pid->number, 4711);
  const Result<Received> map = parse_message(make_message(Word::id_map, 7, 12));
  ASSERT_TRUE(map);
  EXPECT_EQ(map->word, Word::id_map);
  EXPECT_EQ(map->number, 7);
  EXPECT_EQ(map->step, 12);
}

TEST(Sync, AnErrorComesBackWithErrnoTextAndRemedy) {
  const Result<Received> failed =
      parse_message(make_message(Word::failed, Error{ENOENT, "mounts[3] (/data): open_tree(\"/x\")", "create it"}));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->error.number, ENOENT);
  EXPECT_EQ(failed->error.text, "mounts[3] (/data): open_tree(\"/x\")");
  EXPECT_EQ(failed->error.remedy, "create it");
}

TEST(Sync, AnErrorOfAnyLengthFitsOnePipeWrite) {
  const std::string bytes = make_message(Word::failed, Error{EIO, std::string(100000, 't'), std::string(100000, 'r')});
  EXPECT_LE(bytes.size(), 4096U);
  ASSERT_TRUE(parse_message(bytes));
}

TEST(Sync, BytesThatAreNoMessageAreAnError) {
  EXPECT_FALSE(parse_message(""));
  EXPECT_FALSE(parse_message("g"));
  EXPECT_FALSE(parse_message("0123456789abcdef"));
}

TEST(Sync, AProcessMaySpeakBeforeTheRelayThatMadeIt) {
  for (const bool early : {false, true}) {
    Result<kernel::SocketPair> pair = kernel::socketpair(SOCK_SEQPACKET);
    ASSERT_TRUE(pair);
    if (early) {
      ASSERT_TRUE(say(pair->other, Word::ready));
    }
    ASSERT_TRUE(say(pair->other, Word::pid, 4711));
    if (!early) {
      ASSERT_TRUE(say(pair->other, Word::ready));
    }
    Result<Relayed> heard = hear_relay(pair->one);
    ASSERT_TRUE(heard) << heard.error().text;
    EXPECT_EQ(heard->relay.word, Word::pid);
    EXPECT_EQ(heard->relay.number, 4711);
    EXPECT_EQ(heard->early.has_value(), early);
    const Result<Received> next = hear_next(pair->one, heard->early);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->word, Word::ready);
  }
}

// Every cell of the table: what may be heard at which stage, and where it leads.
TEST(Sync, OnlyTheWordsOfTheTableAreHeardAtEachStage) {
  struct Cell {
    Stage at;
    Word word;
    Stage to;
  };
  constexpr Cell allowed[] = {{Stage::relaying, Word::pid, Stage::building},
                              {Stage::building, Word::hooks, Stage::building},
                              {Stage::building, Word::listener, Stage::building},
                              {Stage::building, Word::id_map, Stage::building},
                              {Stage::building, Word::ready, Stage::ready}};
  for (const Stage at : {Stage::relaying, Stage::building, Stage::ready}) {
    for (const Word word :
         {Word::pid, Word::hooks, Word::listener, Word::id_map, Word::ready, Word::failed, Word::go_on}) {
      const Result<Stage> next = next_stage(at, word);
      const Cell *cell = nullptr;
      for (const Cell &candidate : allowed) {
        if (candidate.at == at && candidate.word == word) cell = &candidate;
      }
      ASSERT_EQ(next.has_value(), cell != nullptr) << static_cast<int>(at) << ' ' << static_cast<int>(word);
      if (cell != nullptr) {
        EXPECT_EQ(*next, cell->to);
      }
    }
  }
}

TEST(Sync, HearingFromAProcessThatEndedIsEpipe) {
  Result<kernel::SocketPair> pair = kernel::socketpair(SOCK_SEQPACKET);
  ASSERT_TRUE(pair);
  pair->other.reset();
  const Result<Received> received = hear(pair->one);
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().number, EPIPE);
}

// The kernel tells the end first (ECONNRESET) where something for the other side was left unread.
TEST(Sync, LastWordsAreHeardBehindTheEnd) {
  Result<kernel::SocketPair> pair = kernel::socketpair();
  ASSERT_TRUE(pair);
  ASSERT_TRUE(say(pair->one, Word::go_on));
  say_failed(pair->other, Error{ENOENT, "root.path", ""});
  pair->other.reset();
  const Result<Received> received = hear(pair->one);
  ASSERT_TRUE(received) << received.error().text;
  EXPECT_EQ(received->error.text, "root.path");
}

TEST(Sync, ADescriptorComesWithGoOnAlone) {
  Result<kernel::SocketPair> pair = kernel::socketpair();
  ASSERT_TRUE(pair);
  ASSERT_TRUE(say_descriptor(pair->one, pair->one));
  const Result<kernel::Fd> heard = hear_descriptor(pair->other);
  ASSERT_TRUE(heard) << heard.error().text;
  EXPECT_EQ(kernel::fstat(*heard)->st_ino, kernel::fstat(pair->one)->st_ino);
  ASSERT_TRUE(say(pair->one, Word::go_on));
  EXPECT_FALSE(hear_descriptor(pair->other));
  say_failed(pair->one, {EMFILE, "socketpair", {}});
  EXPECT_EQ(hear_descriptor(pair->other).error().message(), "socketpair: too many open files");
}

TEST(Sync, AnythingButGoOnIsAnErrorToTheChild) {
  Result<kernel::SocketPair> pair = kernel::socketpair(SOCK_SEQPACKET);
  ASSERT_TRUE(pair);
  ASSERT_TRUE(say(pair->one, Word::ready));
  EXPECT_FALSE(hear_go_on(pair->other));
  ASSERT_TRUE(say(pair->one, Word::go_on));
  EXPECT_TRUE(hear_go_on(pair->other));
}

}  // namespace
}  // namespace skiff
