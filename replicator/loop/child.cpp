#include "replicator/loop/child.h"

#include <array>

namespace holdfast::replicator {

// One State for the process handle, up to three pipes and the callbacks. It is freed when all of
// its handles are closed, which is after the owner has let go and after the process was reaped.
struct Child::State {
    static constexpr int stream_count = 3;  // stdin, stdout, stderr.

    uv_process_t process{};
    std::array<uv_pipe_t, stream_count> pipes{};
    std::array<bool, stream_count> open{};
    uv_write_t write{};
    Buffer input;
    std::array<Callback<void(View)>, stream_count> output;
    Callback<void(ChildExit)> on_exit;
    std::array<char, 65536> space{};
    ChildExit result;
    int handles = 0;
    bool owned = true;
    bool exited = false;
    bool told = false;
    bool telling = false;

    static State* of(const void* data) { return static_cast<State*>(const_cast<void*>(data)); }
    void closed_one() {
        --handles;
        telling = true;  // The owner may let go inside on_exit.
        tell_if_over();
        telling = false;
        if (handles == 0 && !owned) delete this;
    }
    void close_pipe(int i) {
        if (!open[static_cast<std::size_t>(i)]) return;
        open[static_cast<std::size_t>(i)] = false;
        uv_close(reinterpret_cast<uv_handle_t*>(&pipes[static_cast<std::size_t>(i)]),
                 [](uv_handle_t* handle) { of(handle->data)->closed_one(); });
    }
    // What was written comes before the news of the end. A grandchild that keeps a pipe open holds
    // it back too: its output may still matter, and the owner can let go.
    void tell_if_over() {
        if (told || !owned || !exited || open[1] || open[2]) return;
        told = true;
        if (on_exit) on_exit(result);
    }
    void feed();
    void listen(int i);
};

void Child::State::feed() {
    if (input.empty()) return close_pipe(0);
    const uv_buf_t piece =
        uv_buf_init(reinterpret_cast<char*>(input.data()), static_cast<unsigned>(input.size()));
    write.data = this;
    const int status = uv_write(&write, reinterpret_cast<uv_stream_t*>(&pipes[0]), &piece, 1,
                                [](uv_write_t* done, int) { of(done->data)->close_pipe(0); });
    if (status < 0) close_pipe(0);
}

void Child::State::listen(int i) {
    if (!open[static_cast<std::size_t>(i)]) return;
    const int status = uv_read_start(
        reinterpret_cast<uv_stream_t*>(&pipes[static_cast<std::size_t>(i)]),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* room) {
            State* const state = of(handle->data);
            *room = uv_buf_init(state->space.data(), static_cast<unsigned>(state->space.size()));
        },
        [](uv_stream_t* stream, ssize_t n, const uv_buf_t* read) {
            State* const state = of(stream->data);
            const int which =
                static_cast<int>(reinterpret_cast<uv_pipe_t*>(stream) - state->pipes.data());
            if (n < 0) return state->close_pipe(which);
            const auto& hear = state->output[static_cast<std::size_t>(which)];
            if (n > 0 && state->owned) {
                hear(as_view({read->base, static_cast<std::size_t>(n)}));
            }
        });
    if (status < 0) close_pipe(i);
}

void Child::StateCloser::operator()(State* state) const noexcept {
    state->owned = false;
    if (!state->exited && state->process.pid > 0) uv_process_kill(&state->process, SIGKILL);
    for (int i = 0; i < State::stream_count; ++i) state->close_pipe(i);
    if (state->handles == 0 && !state->telling) delete state;
}

Result<Child> Child::start(Loop& loop, ChildOptions options) {
    HF_ASSERT(!options.command.empty());
    std::unique_ptr<State, StateCloser> state(new State);
    state->input = std::move(options.input);
    state->output[1] = std::move(options.on_output);
    state->output[2] = std::move(options.on_error_output);
    state->on_exit = std::move(options.on_exit);
    state->process.data = state.get();

    std::array<uv_stdio_container_t, State::stream_count> streams{};
    for (std::size_t i = 0; i < streams.size(); ++i) {
        const bool wanted = i == 0 ? !state->input.empty() : static_cast<bool>(state->output[i]);
        streams[i].flags = UV_IGNORE;
        if (!wanted) continue;
        if (const int made = uv_pipe_init(&loop.raw(), &state->pipes[i], 0); made < 0) {
            return uv_error(made);
        }
        state->pipes[i].data = state.get();
        state->open[i] = true;
        ++state->handles;
        streams[i].flags = static_cast<uv_stdio_flags>(
            UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE));
        streams[i].data.stream = reinterpret_cast<uv_stream_t*>(&state->pipes[i]);
    }
    const auto pointers = [](std::vector<std::string>& texts) {
        std::vector<char*> out;
        out.reserve(texts.size() + 1);
        for (std::string& text : texts) out.push_back(text.data());
        out.push_back(nullptr);
        return out;
    };
    auto arguments = pointers(options.command);
    std::vector<char*> environment;
    if (options.environment) environment = pointers(*options.environment);
    uv_process_options_t spawn{};
    spawn.file = arguments.front();
    spawn.args = arguments.data();
    spawn.env = options.environment ? environment.data() : nullptr;
    spawn.cwd = options.folder.empty() ? nullptr : options.folder.c_str();
    spawn.stdio = streams.data();
    spawn.stdio_count = State::stream_count;
    spawn.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
        State* const ended = State::of(process->data);
        ended->exited = true;
        ended->result = {status, signal};
        ended->close_pipe(0);
        uv_close(reinterpret_cast<uv_handle_t*>(process),
                 [](uv_handle_t* handle) { State::of(handle->data)->closed_one(); });
    };
    ++state->handles;  // libuv initialises the process handle even if it cannot start it.
    if (const int status = uv_spawn(&loop.raw(), &state->process, &spawn); status < 0) {
        state->exited = true;
        uv_close(reinterpret_cast<uv_handle_t*>(&state->process),
                 [](uv_handle_t* handle) { State::of(handle->data)->closed_one(); });
        const Errc code = status == UV_ENOENT   ? Errc::NotFound
                          : status == UV_EACCES ? Errc::Denied
                                                : Errc::Io;
        return Error{code, "start " + options.command.front() + ": " + uv_strerror(status)};
    }
    if (state->open[0]) state->feed();
    for (int i = 1; i < State::stream_count; ++i) state->listen(i);
    return Child(state.release());
}

int Child::pid() const {
    return state_->process.pid;
}

Result<void> Child::kill(int signal_number) {
    if (state_->exited) return Error{Errc::NotFound, "the process has ended"};
    const int status = uv_process_kill(&state_->process, signal_number);
    if (status == UV_ESRCH) return Error{Errc::NotFound, "the process has ended"};
    if (status < 0) return uv_error(status);
    return {};
}

}  // namespace holdfast::replicator
