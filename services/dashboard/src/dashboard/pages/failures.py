"""Errors as pages for people, and in the API's one shape for everything else."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from dashboard.errors import NotSignedInError
from dashboard.pages.rendering import Pages
from gateway_common.errors import GatewayError, InternalError
from gateway_common.web.problems import from_http_exception, from_validation, problem_response

_TITLES = {
    403: "That did not work",
    404: "There is nothing here",
    429: "A little slower, please",
    500: "Something went wrong on our side",
    503: "Back in a moment",
}


def install(app: FastAPI) -> None:
    @app.exception_handler(GatewayError)
    async def on_gateway_error(request: Request, error: GatewayError) -> Response:
        return _answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(request: Request, error: RequestValidationError) -> Response:
        return _answer(request, from_validation(list(error.errors())))

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> Response:
        return _answer(request, from_http_exception(error))

    @app.exception_handler(Exception)
    async def on_anything_else(request: Request, _error: Exception) -> Response:
        # Raised on after this answer, and logged with its traceback by the outermost layer.
        return _answer(request, InternalError())


def _answer(request: Request, error: GatewayError) -> Response:
    if not _is_for_a_person(request):
        return problem_response(error)
    if isinstance(error, NotSignedInError):
        if request.method != "GET":
            return RedirectResponse("/login", status_code=303)
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?{urlencode({'next': wanted})}", status_code=303)
    pages: Pages = request.app.state.pages
    title = _TITLES.get(error.status, HTTPStatus(error.status).phrase)
    text = "Check the address, or start again from the overview." if error.status == 404 else error.description
    response = pages.show_failure(request, error.status, title, text)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _is_for_a_person(request: Request) -> bool:
    """Browsers ask for HTML when they go somewhere; `*/*` on a GET is somebody trying the address from a shell."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted or (request.method == "GET" and accepted in ("", "*/*"))
