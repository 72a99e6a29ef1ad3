<?php
/**
 * Page not found.
 *
 * @package TernMobile
 */

namespace TernMobile;

get_header();
?>
<div class="page-head">
	<h1><?php esc_html_e( 'Page not found', 'tern-mobile' ); ?></h1>
	<p class="lead"><?php esc_html_e( 'This page has flown. Perhaps the plan you want is still on the list.', 'tern-mobile' ); ?></p>
</div>
<p><a class="button" href="<?php echo esc_url( path_to( '/plans' ) ); ?>"><?php esc_html_e( 'See plans', 'tern-mobile' ); ?></a></p>
<?php
get_footer();
