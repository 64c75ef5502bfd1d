// React as Chainlit's page has it: its bundle exports nothing, but it hands React and icons to custom
// elements, and our element (elements/GenerationCard.jsx) leaves them here. So the card can be plain
// modules, loaded once; an element's source is compiled anew for each card in a page.
const { React, icons } = globalThis.__kinoraReact

export const { Fragment, memo, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } = React
export const h = React.createElement
export { icons }
