// One transfer as a curl easy handle: what HttpClient and SyncClient share.
#pragma once

#include "replicator/http/client.h"
#include "vault/base/closer.h"

#include <curl/curl.h>

#include <array>
#include <memory>

namespace holdfast::replicator {

using CurlEasy = std::unique_ptr<CURL, Closer<curl_easy_cleanup>>;
using CurlHeaders = std::unique_ptr<curl_slist, Closer<curl_slist_free_all>>;

/// curl_global_init, once. Errors: Io.
Result<void> start_curl();

/// curl keeps its address: not moved.
class EasyTransfer {
public:
    EasyTransfer(const HttpPeer& peer, ClientRequest request, const TlsIdentity* identity);
    EasyTransfer(const EasyTransfer&) = delete;
    EasyTransfer& operator=(const EasyTransfer&) = delete;
    ~EasyTransfer();

    /// Loads `easy` (fresh, or after curl_easy_reset) with the request. Errors: Invalid.
    Result<void> prepare(CURL* easy);
    /// The outcome, after curl has said `code`. Once.
    Result<HttpReply> result(CURLcode code);

    Callback<void(const HttpReply&)> on_headers;
    Callback<Flow(View)> on_piece;
    bool blocking = false;  // Nothing can be resumed later.

    /// After Flow::Pause or Later; curl may call back at once.
    void resume();
    /// No callback any more; curl is told to stop at its next one.
    void cancel() { stopped_ = true; }

private:
    static std::size_t take_header(char* data, std::size_t size, std::size_t n, void* self);
    static std::size_t take_body(char* data, std::size_t size, std::size_t n, void* self);
    static std::size_t give_body(char* room, std::size_t size, std::size_t n, void* self);
    static int rewind_body(void* self, curl_off_t offset, int origin);

    void header_line(std::string_view line);
    std::size_t body_piece(View piece);
    std::size_t fill(std::span<std::uint8_t> room);
    void prepare_tls();
    Result<void> prepare_body();
    Result<void> prepare_headers();
    void note_server_key();
    template <class T>
    void set(CURLoption option, T value) {
        if (failed_ == CURLE_OK) failed_ = curl_easy_setopt(easy_, option, value);
    }

    HttpPeer peer_;
    ClientRequest request_;
    const TlsIdentity* identity_;
    CURL* easy_ = nullptr;
    CURLcode failed_ = CURLE_OK;
    CurlHeaders headers_;
    std::string url_;
    std::string pin_;
    std::array<char, CURL_ERROR_SIZE> why_{};
    HttpReply reply_;
    bool headers_told_ = false;
    bool paused_ = false;
    bool too_long_ = false;
    bool stopped_ = false;
    std::size_t sent_ = 0;
};

}  // namespace holdfast::replicator
