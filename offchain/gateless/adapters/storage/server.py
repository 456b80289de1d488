"""The HTTP side of a content store: anyone who holds files can serve them.

``GET``/``HEAD /v1/content/{sha256-or-cid}`` and, only where switched on, ``PUT``. Content never
changes under its name, so answers may be cached for ever.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import BinaryIO

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from gateless.adapters.storage.atomic_file import CHUNK_BYTES
from gateless.adapters.storage.local import LocalStore
from gateless.adapters.storage.protocol import too_large
from gateless.core.errors import GatelessError
from gateless.core.ids import cid_of, parse_digest

DEFAULT_MAX_PUT_BYTES = 256 << 20

_STATUS = {
    "invalid-digest": 400,
    "content-not-found": 404,
    "content-too-large": 413,
    "content-tampered": 500,
    "disk-full": 507,
}


def create_app(
    store: LocalStore, *, allow_put: bool = False, max_put_bytes: int = DEFAULT_MAX_PUT_BYTES
) -> FastAPI:
    """The application that serves ``store``.

    Args:
        store: the files.
        allow_put: whether anyone who reaches the server may add content.
        max_put_bytes: largest upload.
    """
    app = FastAPI(title="Gateless content store", version="1", docs_url=None, redoc_url=None)

    @app.exception_handler(GatelessError)
    async def refuse(request: Request, error: Exception) -> Response:
        if not isinstance(error, GatelessError):  # the type that the decorator asks for is wider
            raise error
        return JSONResponse(error.to_dict(), _STATUS.get(error.code, 500))

    @app.api_route("/v1/content/{name}", methods=["GET", "HEAD"], response_class=Response)
    async def content(name: str, request: Request) -> Response:
        """Content by sha256 or CID."""
        digest = parse_digest(name)
        headers = _headers(digest)
        if request.headers.get("If-None-Match") in (headers["ETag"], "*") and await store.has(
            digest
        ):
            return Response(status_code=304, headers=headers)
        file, size = await asyncio.to_thread(store.open_verified, digest)
        headers["Content-Length"] = str(size)
        if request.method == "HEAD":
            file.close()
            return Response(headers=headers, media_type="application/octet-stream")
        return StreamingResponse(
            _stream(file), headers=headers, media_type="application/octet-stream"
        )

    if allow_put:

        @app.put("/v1/content/{name}", response_class=JSONResponse)
        async def upload(name: str, request: Request) -> Response:
            """Adds content; its digest must be the one in the address."""
            digest = parse_digest(name)
            announced = request.headers.get("Content-Length", "")
            if announced.isdigit() and int(announced) > max_put_bytes:
                raise too_large(max_put_bytes, "the upload")
            with store.incoming(digest, max_bytes=max_put_bytes, where="the upload") as file:
                async for chunk in request.stream():
                    await asyncio.to_thread(file.write, chunk)
                if file.digest() != digest:
                    return JSONResponse(
                        {
                            "error": "StorageError",
                            "code": "content-tampered",
                            "message": f"the upload has the digest {file.digest()}, not {digest}",
                            "hint": "upload under the sha256 of the bytes",
                            "context": {"sha256": digest, "found": file.digest()},
                        },
                        422,
                    )
                await asyncio.to_thread(file.commit, store.path_of(digest))
                size = file.size
            return JSONResponse({"sha256": digest, "cid": cid_of(digest), "size": size}, 201)

    return app


def _headers(digest: str) -> dict[str, str]:
    return {
        "ETag": f'"{digest}"',
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-CID": cid_of(digest),
        # RFC 9530, so that generic clients can check the digest too.
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:",
        # Content is somebody else's: a browser must neither guess its type nor run it here.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Access-Control-Allow-Origin": "*",
    }


async def _stream(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
