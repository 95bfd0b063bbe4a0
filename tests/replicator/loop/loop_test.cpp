#include "replicator/loop/loop.h"

#include "replicator/loop/child.h"
#include "replicator/loop/timer.h"
#include "replicator/loop/worker_pool.h"

#include <catch2/catch.hpp>

#include <csignal>
#include <future>
#include <string>
#include <thread>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

constexpr std::uint64_t patience_ms = 20'000;

std::unique_ptr<Loop> make_loop() {
    auto loop = Loop::make();
    REQUIRE(loop);
    return std::move(*loop);
}

struct Heard {
    std::string output;
    std::optional<ChildExit> exit;
};

Result<Child> start_shell(Loop& loop, Heard& heard, std::string script, std::string input = {}) {
    ChildOptions options;
    options.command = {"sh", "-c", std::move(script)};
    options.input = Buffer(input.begin(), input.end());
    options.on_output = [&](View piece) { heard.output += as_text(piece); };
    options.on_exit = [&](ChildExit exit) { heard.exit = exit; };
    return Child::start(loop, std::move(options));
}

}  // namespace

TEST_CASE("posted work runs on the loop thread in order", "[replicator][loop]") {
    const auto loop = make_loop();
    std::vector<int> order;
    const auto loop_thread = std::this_thread::get_id();
    bool right_thread = true;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i) {
            loop->post([&, i] {
                right_thread = right_thread && std::this_thread::get_id() == loop_thread;
                order.push_back(i);
                if (i == 999) loop->stop();
            });
        }
    });
    loop->run();
    other.join();
    CHECK(right_thread);
    REQUIRE(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("a timer may be replaced and destroyed by its own callback", "[replicator][loop]") {
    const auto loop = make_loop();
    auto timer = std::make_unique<Timer>(std::move(*Timer::make(*loop)));
    int fired = 0;
    timer->once(1, [&] {
        ++fired;
        timer->every(1, [&] {
            if (++fired == 4) timer.reset();
        });
    });
    CHECK(loop->run_until([&] { return timer == nullptr; }, patience_ms));
    CHECK(fired == 4);
}

TEST_CASE("a stopped timer does not fire", "[replicator][loop]") {
    const auto loop = make_loop();
    auto stopped = *Timer::make(*loop);
    auto later = *Timer::make(*loop);
    bool fired = false;
    bool over = false;
    stopped.once(1, [&] { fired = true; });
    CHECK(stopped.active());
    stopped.stop();
    later.once(5, [&] { over = true; });
    CHECK(loop->run_until([&] { return over; }, patience_ms));
    CHECK_FALSE(fired);
}

TEST_CASE("run_until gives up at its deadline", "[replicator][loop]") {
    const auto loop = make_loop();
    CHECK_FALSE(loop->run_until([] { return false; }, 5));
}

TEST_CASE("a signal arrives as a callback", "[replicator][loop]") {
    const auto loop = make_loop();
    int caught = 0;
    auto watch = SignalWatch::make(*loop, SIGUSR1, [&] { ++caught; });
    REQUIRE(watch);
    REQUIRE(std::raise(SIGUSR1) == 0);
    CHECK(loop->run_until([&] { return caught == 1; }, patience_ms));
    CHECK_FALSE(SignalWatch::make(*loop, SIGKILL, [] {}));
}

TEST_CASE("a worker's result comes back to the loop thread", "[replicator][loop]") {
    const auto loop = make_loop();
    auto pool = WorkerPool::make(*loop, 2, 16);
    REQUIRE(pool);
    std::optional<std::thread::id> worker;
    std::unique_ptr<std::string> joined;
    auto input = std::make_unique<std::string>("moved in");
    const auto done = [&](std::unique_ptr<std::string> result) {
        worker = std::this_thread::get_id();
        joined = std::move(result);
    };
    REQUIRE((*pool)->submit(
        [input = std::move(input)]() mutable {
            *input += ", moved out";
            return std::move(input);
        },
        done));
    CHECK((*pool)->pending() == 1);
    REQUIRE(loop->run_until([&] { return joined != nullptr; }, patience_ms));
    CHECK(*joined == "moved in, moved out");
    CHECK(worker == std::this_thread::get_id());
    CHECK((*pool)->pending() == 0);
}

TEST_CASE("a full pool refuses, and takes work again when it has room", "[replicator][loop]") {
    const auto loop = make_loop();
    auto pool = *WorkerPool::make(*loop, 1, 2);
    std::promise<void> gate;
    std::promise<void> started;
    int done = 0;
    const auto blocked = [open = gate.get_future().share(), &started] {
        started.set_value();
        open.wait();
    };
    REQUIRE(pool->submit(blocked, [&] { ++done; }));
    started.get_future().wait();
    REQUIRE(pool->submit([] {}, [&] { ++done; }));
    REQUIRE(pool->submit([] {}, [&] { ++done; }));
    const auto refused = pool->submit([] {}, [&] { ++done; });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Full);
    gate.set_value();
    CHECK(loop->run_until([&] { return done == 3; }, patience_ms));
    CHECK(pool->submit([] {}, [&] { ++done; }));
    CHECK(loop->run_until([&] { return done == 4; }, patience_ms));
}

TEST_CASE("a pool that goes calls nothing any more", "[replicator][loop]") {
    const auto loop = make_loop();
    auto pool = *WorkerPool::make(*loop, 1, 8);
    bool called = false;
    for (int i = 0; i < 8; ++i) REQUIRE(pool->submit([] {}, [&] { called = true; }));
    pool.reset();
    bool later = false;
    loop->post([&] { later = true; });
    CHECK(loop->run_until([&] { return later; }, patience_ms));
    CHECK_FALSE(called);
}

TEST_CASE("a child is fed, heard and waited for", "[replicator][loop]") {
    const auto loop = make_loop();
    Heard heard;
    const std::string input(300'000, 'x');  // More than a pipe holds.
    auto child = start_shell(*loop, heard, "cat; exit 3", input);
    REQUIRE(child);
    REQUIRE(loop->run_until([&] { return heard.exit.has_value(); }, patience_ms));
    CHECK(heard.output == input);
    CHECK(heard.exit->status == 3);
    CHECK_FALSE(child->kill(SIGTERM));
}

TEST_CASE("a child ended by a signal says so", "[replicator][loop]") {
    const auto loop = make_loop();
    Heard heard;
    auto child = start_shell(*loop, heard, "echo up; exec sleep 1000");
    REQUIRE(child);
    REQUIRE(loop->run_until([&] { return heard.output == "up\n"; }, patience_ms));
    REQUIRE(child->kill(SIGTERM));
    REQUIRE(loop->run_until([&] { return heard.exit.has_value(); }, patience_ms));
    CHECK(heard.exit->signal == SIGTERM);
}

TEST_CASE("letting go of a child kills it and calls nothing", "[replicator][loop]") {
    Heard heard;
    int pid = 0;
    {
        const auto loop = make_loop();
        auto child = start_shell(*loop, heard, "exec sleep 1000");
        REQUIRE(child);
        pid = child->pid();
        REQUIRE(pid > 0);
    }  // The loop waits for the child: a thousand seconds, if it lived on.
    CHECK(::kill(pid, 0) == -1);
    CHECK_FALSE(heard.exit);
}

TEST_CASE("a child may be let go of inside its last callback", "[replicator][loop]") {
    const auto loop = make_loop();
    std::optional<Child> child;
    ChildOptions options;
    options.command = {"true"};
    options.on_exit = [&](ChildExit exit) {
        CHECK(exit.ok());
        child.reset();
    };
    child.emplace(std::move(*Child::start(*loop, std::move(options))));
    CHECK(loop->run_until([&] { return !child.has_value(); }, patience_ms));
}

TEST_CASE("a program that is not there is an error, not a child", "[replicator][loop]") {
    const auto loop = make_loop();
    ChildOptions options;
    options.command = {"holdfast-no-such-program"};
    options.on_output = [](View) {};
    const auto child = Child::start(*loop, std::move(options));
    REQUIRE_FALSE(child);
    CHECK(child.error().code == Errc::NotFound);
    CHECK(child.error().message.find("holdfast-no-such-program") != std::string::npos);
}
