#include "imgtool/decompress.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace skiff::image {
namespace {

constexpr std::size_t input_size = std::size_t{256} << 10U;
constexpr std::size_t longest_magic = 4;

// RFC 1952; RFC 8878, "Zstandard Frames" and "Skippable Frames".
constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
constexpr std::string_view skippable_magic = "\x2a\x4d\x18";  // after a byte 0x50 to 0x5f

bool is_zstd(std::string_view bytes) {
  if (bytes.starts_with(zstd_magic)) return true;
  return bytes.size() >= longest_magic && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50U &&
         bytes.substr(1).starts_with(skippable_magic);
}

std::string_view inflate_error(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK:
      return "a block of no known kind";
    case ISAL_INVALID_SYMBOL:
      return "a code that its table does not have";
    case ISAL_INVALID_LOOKBACK:
      return "a reference to before the beginning";
    case ISAL_INVALID_WRAPPER:
      return "no gzip header where one has to be";
    case ISAL_UNSUPPORTED_METHOD:
      return "another method than deflate";
    case ISAL_INCORRECT_CHECKSUM:
      return "the checksum is wrong";
    default:
      return "the data is damaged";
  }
}

}  // namespace

std::string_view compression_name(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
    case Compression::none:
      break;
  }
  return "none";
}

struct Decompressor::State {
  // Between two members or frames, within one, or in the NULs after the last.
  enum class Phase : std::uint8_t { begin, between, within, padding };

  ReadBytes source;
  unsigned window_log;
  Compression compression = Compression::none;
  Phase phase = Phase::begin;
  bool input_ended = false;
  std::uint64_t taken = 0;  // of the source
  std::uint64_t given = 0;
  std::vector<char> buffer = std::vector<char>(input_size);
  std::span<char> input;  // of the buffer: not used up yet
  bool ended = false;
  std::optional<Error> failure;
  std::unique_ptr<inflate_state> inflate;
  struct FreeZstd {
    void operator()(ZSTD_DStream *stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, FreeZstd> zstd;

  State(ReadBytes read, unsigned log) : source(std::move(read)), window_log(log) {}

  Status refill();
  Status detect();
  Result<bool> next_stream();
  Status start_stream();
  [[nodiscard]] std::unexpected<Error> damaged(std::string_view what) const;
  Result<std::size_t> read(std::span<char> into);
  Result<std::size_t> copy(std::span<char> into);
  Result<std::size_t> step(std::span<char> into);
  Result<std::size_t> step_gzip(std::span<char> into);
  Result<std::size_t> step_zstd(std::span<char> into);
};

std::unexpected<Error> Decompressor::State::damaged(std::string_view what) const {
  return fail(EBADMSG, fmt::format("{} at byte {}: {}", compression_name(compression), taken - input.size(), what));
}

Status Decompressor::State::refill() {
  if (!input.empty() || input_ended) return {};
  const std::size_t count = TRY(source(buffer));
  taken += count;
  input_ended = count == 0;
  input = std::span(buffer).first(count);
  return {};
}

// The magic may come in several reads.
Status Decompressor::State::detect() {
  std::size_t there = 0;
  while (there < longest_magic) {
    const std::size_t count = TRY(source(std::span(buffer).subspan(there)));
    if (count == 0) break;
    there += count;
  }
  taken = there;
  input_ended = there == 0;
  input = std::span(buffer).first(there);
  const std::string_view bytes(buffer.data(), there);
  if (bytes.starts_with(gzip_magic)) {
    compression = Compression::gzip;
    inflate = std::make_unique<inflate_state>();
  } else if (is_zstd(bytes)) {
    compression = Compression::zstd;
    zstd.reset(ZSTD_createDStream());
    ZSTD_DCtx_setParameter(zstd.get(), ZSTD_d_windowLogMax, static_cast<int>(window_log));
  }
  phase = Phase::between;
  return {};
}

Status Decompressor::State::start_stream() {
  if (compression == Compression::gzip) {
    isal_inflate_init(inflate.get());
    inflate->crc_flag = ISAL_GZIP;
  }
  phase = Phase::within;
  return {};
}

// False at the end of everything.
Result<bool> Decompressor::State::next_stream() {
  for (;;) {
    TRY(refill());
    if (input.empty()) return false;
    if (phase == Phase::between && input.front() != '\0') break;
    phase = Phase::padding;
    input = input.subspan(std::min(std::string_view(input.data(), input.size()).find_first_not_of('\0'), input.size()));
    if (!input.empty()) return damaged("something follows the end of the stream");
  }
  TRY(start_stream());
  return true;
}

Result<std::size_t> Decompressor::State::step_gzip(std::span<char> into) {
  TRY(refill());
  const std::size_t room = std::min<std::size_t>(into.size(), std::size_t{1} << 30U);
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): ISA-L's bytes are unsigned.
  inflate->next_in = reinterpret_cast<std::uint8_t *>(input.data());
  inflate->next_out = reinterpret_cast<std::uint8_t *>(into.data());
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  inflate->avail_in = static_cast<std::uint32_t>(input.size());
  inflate->avail_out = static_cast<std::uint32_t>(room);
  const int code = isal_inflate(inflate.get());
  // After an error what is left of the input may be more than there was.
  if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) return damaged(inflate_error(code));
  if (inflate->avail_in > input.size()) return damaged("it takes more than there is");
  const std::size_t used = input.size() - inflate->avail_in;
  const std::size_t count = room - inflate->avail_out;
  input = input.subspan(used);
  if (inflate->block_state == ISAL_BLOCK_FINISH) {
    phase = Phase::between;
  } else if (used == 0 && count == 0 && input_ended) {
    return damaged("it ends in the middle");
  }
  return count;
}

Result<std::size_t> Decompressor::State::step_zstd(std::span<char> into) {
  TRY(refill());
  ZSTD_inBuffer in{.src = input.data(), .size = input.size(), .pos = 0};
  ZSTD_outBuffer out{.dst = into.data(), .size = into.size(), .pos = 0};
  const std::size_t code = ZSTD_decompressStream(zstd.get(), &out, &in);
  input = input.subspan(in.pos);
  if (ZSTD_isError(code) != 0) {
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge) {
      return fail(EFBIG, fmt::format("zstd: a window of more than 2^{} bytes", window_log),
                  "compress it with a smaller window: zstd without --long=31");
    }
    return damaged(ZSTD_getErrorName(code));
  }
  if (code == 0) {
    phase = Phase::between;
  } else if (in.pos == 0 && out.pos == 0 && input_ended) {
    return damaged("it ends in the middle");
  }
  return out.pos;
}

Result<std::size_t> Decompressor::State::copy(std::span<char> into) {
  if (input.empty()) {
    if (input_ended) return 0;
    const std::size_t count = TRY(source(into));
    taken += count;
    input_ended = count == 0;
    return count;
  }
  const std::size_t count = std::min(into.size(), input.size());
  std::memcpy(into.data(), input.data(), count);
  input = input.subspan(count);
  return count;
}

Result<std::size_t> Decompressor::State::step(std::span<char> into) {
  return compression == Compression::gzip ? step_gzip(into) : step_zstd(into);
}

Decompressor::Decompressor(ReadBytes read, unsigned window_log)
    : state_(std::make_unique<State>(std::move(read), window_log)) {}
Decompressor::~Decompressor() = default;

Result<std::size_t> Decompressor::State::read(std::span<char> into) {
  if (phase == Phase::begin) TRY(detect());
  if (compression == Compression::none) {
    const std::size_t count = TRY(copy(into));
    ended = count == 0;
    return count;
  }
  ended = phase != Phase::within && !TRY(next_stream());
  if (ended) return 0;
  // It may give nothing: a member may be empty.
  return step(into);
}

Result<std::size_t> Decompressor::read(std::span<char> into) {
  State &state = *state_;
  if (state.failure) return std::unexpected(*state.failure);
  std::size_t done = 0;
  while (done < into.size() && !state.ended && !state.failure) {
    const Result<std::size_t> count = state.read(into.subspan(done));
    if (count) {
      done += *count;
    } else {
      state.failure = count.error();
    }
  }
  state.given += done;
  // What came before the damage is good: who writes it can say where it ends.
  if (state.failure && done == 0) return std::unexpected(*state.failure);
  return done;
}

Compression Decompressor::compression() const { return state_->compression; }
std::uint64_t Decompressor::compressed() const { return state_->taken; }
std::uint64_t Decompressor::uncompressed() const { return state_->given; }

}  // namespace skiff::image
