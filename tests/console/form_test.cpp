#include "console/session/form.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::console;

namespace {

Result<Form> read(std::string_view text) {
    Buffer body(text.begin(), text.end());
    return Form::take(body);
}

}  // namespace

TEST_CASE("a form's fields are decoded", "[console]") {
    const auto form = read("name=Ada+Marsh&passphrase=a%26b%3D%C3%A9%2b&empty=&bare");
    REQUIRE(form);
    CHECK(form->value("name") == "Ada Marsh");
    CHECK(form->value("passphrase") == "a&b=\xc3\xa9+");
    CHECK(form->value("empty").empty());
    CHECK(form->value("absent").empty());
    CHECK(form->size() == 4);
}

TEST_CASE("a form that is not one is refused without a piece of it being told", "[console]") {
    for (const char* text : {"name=%", "name=%2", "name=%zz", "a=1&a=2", "passphrase=secret%00"}) {
        const auto form = read(text);
        INFO(text);
        REQUIRE_FALSE(form);
        CHECK(form.error().code == Errc::Invalid);
        CHECK(form.error().message.find("secret") == std::string::npos);
    }
    CHECK_FALSE(read(std::string(form_bytes_max + 1, 'a')));
    std::string many;
    for (std::size_t i = 0; i <= form_fields_max; ++i) many += "f" + std::to_string(i) + "=1&";
    CHECK_FALSE(read(many));
}

TEST_CASE("a form's body is wiped by reading it, also if it is refused", "[console]") {
    for (const std::string_view text : {"passphrase=secret", "passphrase=secret%"}) {
        Buffer body(text.begin(), text.end());
        const std::uint8_t* const memory = body.data();
        const std::size_t size = body.size();
        (void)Form::take(body);
        CHECK(body.empty());
        CHECK(body.capacity() >= size);  // The memory is still the buffer's: it may be looked at.
        CHECK(std::all_of(memory, memory + size, [](std::uint8_t b) { return b == 0; }));
    }
}

TEST_CASE("a cookie is found among others, and a doubled one is none", "[console]") {
    CHECK(cookie_value("a=1; __Host-holdfast=xyz; b=2", "__Host-holdfast") == "xyz");
    CHECK(cookie_value("__Host-holdfast=xyz", "__Host-holdfast") == "xyz");
    CHECK(cookie_value("x__Host-holdfast=xyz", "__Host-holdfast").empty());
    CHECK(cookie_value("a=1; a=2", "a").empty());
    CHECK(cookie_value("", "a").empty());
    CHECK(cookie_value("a=1; " + std::string(cookie_bytes_max, 'b'), "a").empty());
}
