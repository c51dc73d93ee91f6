"""The shop as web pages: `pages.html_of` shows a visit as HTML, `app.site` serves many visits, `serving` runs that.

`pages` needs Jinja2, the rest Starlette and uvicorn (extra `shop`).
"""
