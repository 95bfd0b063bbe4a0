#include "agent/source/journal/wire.h"
#include "agent/source/journal/client.h"
#include "agent/source/journal/socket.h"
#include "tests/harness/scratch_folder.h"

#include <sys/socket.h>

#include <catch2/catch.hpp>

#include <thread>

using namespace holdfast;
using namespace holdfast::agent::journal;

namespace {

/// The answer to a client that asks once, of a server that sends `bytes` and hangs up.
Result<Changes> told(const Buffer& bytes) {
    const test::ScratchFolder scratch;
    const std::string path = scratch / "s";
    const Fd listener = *listen_at(path);
    std::thread server([&] {
        const Fd asker(::accept(listener.get(), nullptr, nullptr));
        const auto asked = receive_message(asker.get(), ask_bytes_max);
        if (asked) ::send(asker.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    });
    auto answer = Client(path, "files").since("token:1");
    server.join();
    return answer;
}

Buffer framed(const Buffer& message, std::size_t length) {
    Buffer out;
    ByteWriter writer(out);
    writer.u32(static_cast<std::uint32_t>(length));
    writer.bytes(message);
    return out;
}

}  // namespace

TEST_CASE("asks and answers survive the wire", "[source][journal]") {
    const auto ask = parse_ask(encode_ask({"documents", "id:7"}));
    REQUIRE(ask);
    CHECK(ask->source == "documents");
    CHECK(ask->token == "id:7");

    Answer known;
    known.changes.changes = std::vector<Change>{{"", false}, {"a/\xff", true}};
    const auto told_known = parse_answer(encode_answer(known));
    REQUIRE(told_known);
    CHECK(told_known->changes.changes == known.changes.changes);

    Answer unknown;
    unknown.changes.unknown = "why";
    const auto told_unknown = parse_answer(encode_answer(unknown));
    REQUIRE(told_unknown);
    CHECK_FALSE(told_unknown->changes.changes);
    CHECK(told_unknown->changes.unknown == "why");

    const auto failed = parse_answer(encode_answer(Error{Errc::Denied, "no"}));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "no");
}

TEST_CASE("every cut of an answer is refused", "[source][journal]") {
    Answer answer;
    answer.token = "id:7";
    answer.changes.changes = std::vector<Change>{{"a", false}, {"b", true}};
    const Buffer whole = encode_answer(answer);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        CHECK_FALSE(parse_answer(View(whole).first(size)));
    }
    Buffer longer = whole;
    longer.push_back(0);
    CHECK_FALSE(parse_answer(longer));
}

TEST_CASE("a journal that breaks off or sends too much is told apart", "[source][journal]") {
    Answer answer;
    answer.changes.changes = std::vector<Change>{{"a", false}};
    const Buffer message = encode_answer(answer);
    const auto good = told(framed(message, message.size()));
    REQUIRE(good);
    CHECK(good->changes->size() == 1);

    const auto broken = told(framed(message, message.size() + 1));
    REQUIRE_FALSE(broken);
    CHECK(broken.error().code == Errc::Unreachable);

    const auto huge = told(framed(message, answer_bytes_max + 1));
    REQUIRE_FALSE(huge);
    CHECK(huge.error().code == Errc::Corrupt);
}

TEST_CASE("nobody listens where no journal runs, and one alone may", "[source][journal]") {
    const test::ScratchFolder scratch;
    const std::string path = scratch / "s";
    const auto none = Client(path, "files").mark();
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::Unreachable);
    {
        const auto first = listen_at(path);
        REQUIRE(first);
        const auto second = listen_at(path);
        REQUIRE_FALSE(second);
        CHECK(second.error().code == Errc::Conflict);
    }
    CHECK(listen_at(path));  // What was left behind is no hindrance.
    scratch.file("plain", "a file of somebody's");
    const auto plain = listen_at(scratch / "plain");
    REQUIRE_FALSE(plain);
    CHECK(plain.error().code == Errc::Conflict);
    const auto deep = listen_at(scratch / std::string(200, 'x'));
    REQUIRE_FALSE(deep);
    CHECK(deep.error().code == Errc::Invalid);
}
