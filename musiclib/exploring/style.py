"""How the panel looks: in JupyterLab's own colours, so that it is light or dark as the rest is."""

STYLE = """<style>
.musiclib-panel { max-width: 1180px; padding: 4px 8px; }
.musiclib-panel h4 { margin: 10px 0 4px; font-size: var(--jp-ui-font-size1, 13px); }
.musiclib-panel .widget-readout { min-width: 68px; }
.musiclib-said { color: var(--jp-ui-font-color2, #555); }
.musiclib-wrong { color: var(--jp-error-color0, #b71c1c); font-weight: 600; }
.musiclib-take { margin: 12px 0 4px; }
.musiclib-panel details { border-top: 1px solid var(--jp-border-color2, #ccc); padding: 6px 0; }
.musiclib-panel summary { cursor: pointer; }
/* the arrows of drop-downs, which ipywidgets draws in black */
[data-jp-theme-light="false"] .musiclib-panel select { filter: invert(1) hue-rotate(180deg); }
[data-jp-theme-light="false"] .musiclib-panel select { background-color: #fff; color: #000; }
</style>"""
