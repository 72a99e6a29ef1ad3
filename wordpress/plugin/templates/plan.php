<?php
/**
 * One plan with everything about it.
 *
 * @var array{plan: array<string, mixed>} $args
 * @package Turnout
 */

namespace Turnout;

$plan = $args['plan'];
get_header();
?>
<p class="trail"><a href="<?php echo esc_url( link_path( '/plans' ) ); ?>"><?php esc_html_e( 'All plans', 'turnout' ); ?></a></p>
<div class="plan-page">
	<div class="plan-page__story">
		<h1><?php echo esc_html( $plan['name'] ); ?></h1>
		<p class="lead"><?php echo esc_html( $plan['tagline'] ); ?></p>
		<?php if ( $plan['highlights'] ) : ?>
			<h2><?php esc_html_e( 'What you get', 'turnout' ); ?></h2>
			<ul class="ticks">
				<?php foreach ( $plan['highlights'] as $highlight ) : ?>
					<li><?php echo esc_html( $highlight ); ?></li>
				<?php endforeach; ?>
			</ul>
		<?php endif; ?>
	</div>
	<div class="plan-page__offer">
		<p class="price price--large"><span class="price__amount"><?php echo esc_html( price( $plan['price'] ) ); ?></span> <span class="price__per"><?php esc_html_e( 'a month', 'turnout' ); ?></span></p>
		<dl class="facts">
			<div><dt><?php esc_html_e( 'Data', 'turnout' ); ?></dt><dd><?php echo esc_html( data_allowance( $plan['data'] ?? null ) ); ?></dd></div>
			<div><dt><?php esc_html_e( 'Abroad', 'turnout' ); ?></dt><dd><?php echo esc_html( $plan['roaming'] ); ?> GB</dd></div>
			<div><dt><?php esc_html_e( 'Speed', 'turnout' ); ?></dt><dd><?php echo esc_html( speed( $plan['speed'] ) ); ?></dd></div>
			<div><dt><?php esc_html_e( 'Minimum term', 'turnout' ); ?></dt><dd><?php echo esc_html( commitment( $plan['commitment'] ) ); ?></dd></div>
		</dl>
		<a class="button" href="<?php echo esc_url( link_path( '/sign-up?plan=' . $plan['id'] ) ); ?>">
			<?php
			/* translators: %s: name of a plan. */
			echo esc_html( sprintf( __( 'Choose %s', 'turnout' ), $plan['name'] ) );
			?>
		</a>
	</div>
</div>
<?php
get_footer();
