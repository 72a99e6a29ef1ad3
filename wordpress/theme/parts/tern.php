<?php
/**
 * The logo's tern, in the colour of the text around it.
 *
 * @package TernMobile
 */

?>
<svg viewBox="0 0 50 36" aria-hidden="true" focusable="false"><path fill="currentColor" d="M1 4.5C12 4 20 8.5 24.5 15.5 30.5 8.5 38.5 4.5 49 6 41 8.5 35 13 31.5 19.5 29 24 24 27.5 16.5 31L20.5 25.5 12 27.5C17 24.5 19.8 21.5 20 18.8 16 12 10 7.5 1 4.5Z"/></svg>
