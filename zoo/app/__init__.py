"""A run's model as a web app: a camera's picture in, a score out, and nothing leaves the browser.

`zoo.app.folder.write_app` writes it; `page/` holds what runs in the browser.
"""
