"""The front view of an estimate to scale, as the text of an SVG. Pure.

`sheet.draw` is what others call; lengths are millimetres of the board. A page's own
style can give it other colours. Lines and text are `currentColor`, of which `.kis-drawing`
has the default. Filled are `.kis-sheet` and `.kis-paper` (what is behind everything),
`.kis-body` in `.kis-main`, `.kis-branch`, `.kis-leakage` or `.kis-accessory`, `.kis-zone`,
`.kis-busbar` and `.kis-test`; `.kis-hatch`, `.kis-feed` and `.kis-taps` are lines in
colours of their own. Each device is a `.kis-device` with `data-item`, `data-device` and
`data-row`, each row of the list a `.kis-row` with `data-row`.
"""
