// {fmt}'s own code, compiled once here and not in every file: Debian has no static library of it. Without locales
// (FMT_STATIC_THOUSANDS_SEPARATOR) it has no static initialisers.
#include <fmt/format-inl.h>

namespace fmt::detail {

// What fmt/format.h and fmt/core.h declare as `extern template`.
template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
template void buffer<char>::append(const char *, const char *);
template void vformat_to(buffer<char> &, string_view, basic_format_args<buffer_context<char>>, locale_ref);

}  // namespace fmt::detail
